import { ClipboardList } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { Button, IconButton } from '../../components/button';
import { copyText } from '../../components/clipboard';
import { useFormat } from '../../i18n/use-format';
import { errorSentence, request } from '../../stores/request';
import { showToast } from '../../stores/ui-store';

/** Copies the report of one death to the clipboard and confirms it. `small` is an icon only, for a list row. */
export function CopyReport({
  incident,
  at,
  small = false,
}: {
  incident: string;
  at: number;
  small?: boolean;
}) {
  const { t } = useTranslation();
  const format = useFormat();
  const label = t('incident.copyOf', { time: format.moment(at) });
  const onClick = async () => {
    const outcome = await request('incidentReport', { id: incident });
    if (!outcome.ok) {
      showToast({ text: errorSentence(outcome.error), tone: 'error' });
      return;
    }
    await copyText(outcome.value.text);
    showToast({ text: t('incident.copied') });
  };
  const icon = <ClipboardList size={13} aria-hidden="true" />;
  if (small) {
    return (
      <IconButton label={label} onClick={() => void onClick()}>
        {icon}
      </IconButton>
    );
  }
  return (
    <Button tone="plain" aria-label={label} onClick={() => void onClick()}>
      {icon}
      {t('incident.copy')}
    </Button>
  );
}
