import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { ModelView } from '../../../shared/models';
import { Button } from '../../components/button';
import { Mark } from '../../components/mark';
import { useFormat } from '../../i18n/use-format';
import { errorSentence, request } from '../../stores/request';
import { showToast } from '../../stores/ui-store';

/** How many models are in memory, and the button that unloads those that are idle. Nothing while none is loaded. */
export function FreeMemory({ models }: { models: readonly ModelView[] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const [busy, setBusy] = useState(false);
  const loaded = models.filter(({ load }) => load === 'loaded').length;
  if (loaded === 0) return null;
  const free = async () => {
    setBusy(true);
    const outcome = await request('memoryFree', {});
    setBusy(false);
    if (!outcome.ok) return showToast({ text: errorSentence(outcome.error), tone: 'error' });
    const { models: count, bytes } = outcome.value;
    if (count === 0) showToast({ text: t('models.freedNone') });
    else if (bytes === null) showToast({ text: t('models.freedPlain', { count }) });
    else showToast({ text: t('models.freed', { count, size: format.memory(bytes) }) });
  };
  return (
    <div className="-my-1 flex flex-wrap items-center gap-x-2 px-1">
      <Mark shape="ready" />
      <span className="grow text-ink-2 text-small">{t('models.loadedCount', { count: loaded })}</span>
      <Button disabled={busy} onClick={() => void free()}>
        {t('models.free')}
      </Button>
    </div>
  );
}
