import { useTranslation } from 'react-i18next';
import { Button } from '../../components/button';
import { Note } from '../../components/note';
import { Switch } from '../../components/switch';
import { SettingRow } from './setting-row';
import { useSetting } from './use-setting';

/**
 * MLX_ONLY_LIGHT. Off shows the risk and a way back. There is no confirmation, because nothing changes before MLX
 * restarts: the restart, offered below, is the confirmation.
 */
export function OnlyLightRow() {
  const { t } = useTranslation();
  const setting = useSetting('mlxOnlyLight');
  const off = setting?.value === false;
  return (
    <SettingRow
      setting={setting}
      title={t('settings.onlyLight')}
      hint={t('settings.onlyLightHint')}
      control={({ setting: { value, set }, describedBy, disabled }) => (
        <Switch
          testId="mlx-only-light"
          checked={value}
          disabled={disabled}
          label={t('settings.onlyLight')}
          describedBy={describedBy}
          onChange={set}
        />
      )}
    >
      {off && (
        <Note tone="warn" className="rise mt-2">
          <p>{t('settings.onlyLightOff')}</p>
          {setting?.env === null && (
            <Button tone="plain" className="-ml-2.5" onClick={() => setting.set(true)}>
              {t('settings.onlyLightKeep')}
            </Button>
          )}
        </Note>
      )}
    </SettingRow>
  );
}
