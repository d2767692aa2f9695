import { useTranslation } from 'react-i18next';
import { USE_BACKENDS } from '../../../shared/use-backends';
import { Select } from '../../components/select';
import { Switch } from '../../components/switch';
import { Section, SettingRow } from './setting-row';
import { useSetting } from './use-setting';

const POLICIES = ['strategy', 'mlx-first'] as const;

export function RoutingSection() {
  const { t } = useTranslation();
  const policy = useSetting('policy');
  const backends = useSetting('useBackends');
  const leaveOut = useSetting('chatLeavesOutOldest');
  return (
    <Section title={t('settings.sections.routing')}>
      <SettingRow
        setting={policy}
        title={t('settings.policy')}
        hint={t('settings.policyHint')}
        control={({ setting, ...rest }) => (
          <Select
            value={setting.value}
            label={t('settings.policy')}
            options={POLICIES.map((value) => ({ value, label: t(`settings.policies.${value}`) }))}
            onChange={(value) => setting.set(value === 'mlx-first' ? 'mlx-first' : 'strategy')}
            {...rest}
          />
        )}
      />
      <SettingRow
        setting={backends}
        title={t('settings.useBackends')}
        hint={t('settings.useBackendsHint')}
        control={({ setting, ...rest }) => (
          <Select
            value={setting.value}
            label={t('settings.useBackends')}
            options={USE_BACKENDS.map((value) => ({ value, label: t(`settings.backends.${value}`) }))}
            onChange={(value) => setting.set(USE_BACKENDS.find((candidate) => candidate === value) ?? 'both')}
            {...rest}
          />
        )}
      />
      <SettingRow
        setting={leaveOut}
        title={t('settings.leaveOut')}
        hint={t('settings.leaveOutHint')}
        control={({ setting: { value, set }, ...rest }) => (
          <Switch checked={value} onChange={set} label={t('settings.leaveOut')} {...rest} />
        )}
      />
    </Section>
  );
}
