import { useTranslation } from 'react-i18next';
import { Section } from '../../components/section';
import { NumberRow } from './setting-rows';

/** Queue and memory: concurrency, timeouts, memory thresholds. */
export function LimitsSection() {
  const { t } = useTranslation();
  return (
    <Section title={t('settings.sections.queue')}>
      <NumberRow of="ollamaMaxConcurrent" title={t('settings.ollamaConcurrent')} min={1} max={16} />
      <NumberRow
        of="queueWaitTimeoutS"
        title={t('settings.queueWait')}
        min={1}
        max={86_400}
        unit={t('settings.secondsUnit')}
        empty={t('settings.queueWaitAuto')}
      />
      <NumberRow
        of="memoryWarningPercent"
        title={t('settings.memoryWarning')}
        hint={t('settings.memoryWarningHint')}
        min={1}
        max={100}
        unit={t('settings.percentUnit')}
      />
      <NumberRow
        of="memoryCriticalPercent"
        title={t('settings.memoryCritical')}
        hint={t('settings.memoryCriticalHint')}
        min={1}
        max={100}
        unit={t('settings.percentUnit')}
      />
    </Section>
  );
}
