import { useTranslation } from 'react-i18next';
import { USE_BACKENDS } from '../../../shared/use-backends';
import { Section } from '../../components/section';
import { ChoiceRow, SwitchRow } from './setting-rows';

const POLICIES = ['strategy', 'mlx-first'] as const;

export function RoutingSection() {
  const { t } = useTranslation();
  return (
    <Section title={t('settings.sections.routing')}>
      <ChoiceRow
        of="policy"
        title={t('settings.policy')}
        hint={t('settings.policyHint')}
        options={POLICIES}
        nameOf={(value) => t(`settings.policies.${value}`)}
      />
      <ChoiceRow
        of="useBackends"
        title={t('settings.useBackends')}
        hint={t('settings.useBackendsHint')}
        options={USE_BACKENDS}
        nameOf={(value) => t(`settings.backends.${value}`)}
      />
      <SwitchRow of="chatLeavesOutOldest" title={t('settings.leaveOut')} hint={t('settings.leaveOutHint')} />
    </Section>
  );
}
