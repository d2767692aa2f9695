import { useTranslation } from 'react-i18next';
import { Section } from '../../components/section';
import { usePart } from '../../stores/core-store';
import { SettingRow } from './setting-row';
import { ChoiceRow, SwitchRow } from './setting-rows';
import { ShortcutField } from './shortcut-field';
import { useSetting } from './use-setting';

const THEMES = ['system', 'light', 'dark'] as const;
const LANGUAGES = ['system', 'en', 'ru'] as const;

export function AppSection() {
  const { t } = useTranslation();
  const shortcut = useSetting('globalShortcut');
  const blocked = usePart('app')?.host === 'electron' ? null : t('settings.headlessOnly');
  return (
    <Section title={t('settings.sections.app')}>
      <ChoiceRow
        of="theme"
        title={t('settings.theme')}
        options={THEMES}
        nameOf={(value) => t(`settings.themes.${value}`)}
      />
      <ChoiceRow
        of="language"
        title={t('settings.language')}
        options={LANGUAGES}
        nameOf={(value) => t(`settings.languages.${value}`)}
      />
      <SwitchRow of="openAtLogin" title={t('settings.openAtLogin')} blocked={blocked} />
      <SettingRow
        setting={shortcut}
        title={t('settings.shortcut')}
        hint={blocked ? undefined : t('settings.shortcutHint')}
        blocked={blocked}
        control={({ setting: { value, set }, ...rest }) => (
          <ShortcutField value={value} onChange={set} label={t('settings.shortcut')} {...rest} />
        )}
      />
    </Section>
  );
}
