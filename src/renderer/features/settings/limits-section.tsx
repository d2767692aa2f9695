import { useTranslation } from 'react-i18next';
import { Section } from '../../components/section';
import { NumberField } from './number-field';
import { SettingRow } from './setting-row';
import { useSetting } from './use-setting';

/** Queue and memory: concurrency, timeouts, memory thresholds. */
export function LimitsSection() {
  const { t } = useTranslation();
  const concurrent = useSetting('ollamaMaxConcurrent');
  const wait = useSetting('queueWaitTimeoutS');
  const warning = useSetting('memoryWarningPercent');
  const critical = useSetting('memoryCriticalPercent');
  return (
    <Section title={t('settings.sections.queue')}>
      <SettingRow
        setting={concurrent}
        title={t('settings.ollamaConcurrent')}
        control={({ setting, ...rest }) => (
          <NumberField
            value={setting.value}
            min={1}
            max={16}
            label={t('settings.ollamaConcurrent')}
            onChange={setting.set}
            onProblem={setting.tell}
            {...rest}
          />
        )}
      />
      <SettingRow
        setting={wait}
        title={t('settings.queueWait')}
        control={({ setting, ...rest }) => (
          <NumberField
            value={setting.value}
            min={1}
            max={86_400}
            label={t('settings.queueWait')}
            unit={t('settings.secondsUnit')}
            empty={t('settings.queueWaitAuto')}
            onChange={setting.set}
            onProblem={setting.tell}
            onEmpty={() => setting.set(null)}
            {...rest}
          />
        )}
      />
      <SettingRow
        setting={warning}
        title={t('settings.memoryWarning')}
        hint={t('settings.memoryWarningHint')}
        control={({ setting, ...rest }) => (
          <NumberField
            value={setting.value}
            min={1}
            max={100}
            label={t('settings.memoryWarning')}
            unit={t('settings.percentUnit')}
            onChange={setting.set}
            onProblem={setting.tell}
            {...rest}
          />
        )}
      />
      <SettingRow
        setting={critical}
        title={t('settings.memoryCritical')}
        hint={t('settings.memoryCriticalHint')}
        control={({ setting, ...rest }) => (
          <NumberField
            value={setting.value}
            min={1}
            max={100}
            label={t('settings.memoryCritical')}
            unit={t('settings.percentUnit')}
            onChange={setting.set}
            onProblem={setting.tell}
            {...rest}
          />
        )}
      />
    </Section>
  );
}
