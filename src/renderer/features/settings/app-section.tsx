import { useTranslation } from 'react-i18next';
import { Section } from '../../components/section';
import { Select } from '../../components/select';
import { Switch } from '../../components/switch';
import { usePart } from '../../stores/core-store';
import { SettingRow } from './setting-row';
import { ShortcutField } from './shortcut-field';
import { useSetting } from './use-setting';

const THEMES = ['system', 'light', 'dark'] as const;
const LANGUAGES = ['system', 'en', 'ru'] as const;

export function AppSection() {
  const { t } = useTranslation();
  const theme = useSetting('theme');
  const language = useSetting('language');
  const login = useSetting('openAtLogin');
  const shortcut = useSetting('globalShortcut');
  const blocked = usePart('app')?.host === 'electron' ? null : t('settings.headlessOnly');
  return (
    <Section title={t('settings.sections.app')}>
      <SettingRow
        setting={theme}
        title={t('settings.theme')}
        control={({ setting, ...rest }) => (
          <Select
            value={setting.value}
            label={t('settings.theme')}
            options={THEMES.map((value) => ({ value, label: t(`settings.themes.${value}`) }))}
            onChange={(value) => setting.set(THEMES.find((candidate) => candidate === value) ?? 'system')}
            {...rest}
          />
        )}
      />
      <SettingRow
        setting={language}
        title={t('settings.language')}
        control={({ setting, ...rest }) => (
          <Select
            value={setting.value}
            label={t('settings.language')}
            options={LANGUAGES.map((value) => ({ value, label: t(`settings.languages.${value}`) }))}
            onChange={(value) => setting.set(LANGUAGES.find((candidate) => candidate === value) ?? 'system')}
            {...rest}
          />
        )}
      />
      <SettingRow
        setting={login}
        title={t('settings.openAtLogin')}
        blocked={blocked}
        control={({ setting: { value, set }, ...rest }) => (
          <Switch checked={value} onChange={set} label={t('settings.openAtLogin')} {...rest} />
        )}
      />
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
