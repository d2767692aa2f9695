import { useTranslation } from 'react-i18next';
import { Button } from '../../components/button';
import { Note } from '../../components/note';
import { SwitchRow } from './setting-rows';
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
    <SwitchRow
      of="mlxOnlyLight"
      testId="mlx-only-light"
      title={t('settings.onlyLight')}
      hint={t('settings.onlyLightHint')}
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
    </SwitchRow>
  );
}
