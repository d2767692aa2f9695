import { useCallback, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { DeletePlan, ModelView } from '../../../shared/models';
import { shortModel } from '../../components/backend-words';
import { Button } from '../../components/button';
import { Note } from '../../components/note';
import { Switch } from '../../components/switch';
import { useFormat } from '../../i18n/use-format';
import { errorSentence, request } from '../../stores/request';
import { showToast } from '../../stores/ui-store';

type Planned = { kind: 'asking' } | { kind: 'failed'; words: string } | { kind: 'plan'; plan: DeletePlan };

/** Asks before a model is deleted: what stops working, the disk space, and whose files they are. */
export function DeletePanel({ model, onEnd }: { model: ModelView; onEnd: () => void }) {
  const { t } = useTranslation();
  const [planned, setPlanned] = useState<Planned>({ kind: 'asking' });
  const heading = useRef<HTMLHeadingElement>(null);
  const { backend, name } = model;
  const ask = useCallback(async () => {
    setPlanned({ kind: 'asking' });
    const outcome = await request('modelDeletePlan', { backend, name });
    setPlanned(
      outcome.ok
        ? { kind: 'plan', plan: outcome.value }
        : { kind: 'failed', words: errorSentence(outcome.error) },
    );
  }, [backend, name]);
  useEffect(() => {
    heading.current?.focus();
    void ask();
  }, [ask]);
  return (
    <section aria-label={t('models.deleteAsk', { name })} data-testid="delete-panel" className="rise">
      <h3 ref={heading} tabIndex={-1} className="font-[600] outline-none [overflow-wrap:anywhere]">
        {t('models.deleteAsk', { name: shortModel(name) })}
      </h3>
      {planned.kind === 'asking' && <span className="skeleton mt-2 block h-8" />}
      {planned.kind === 'failed' && (
        <>
          <p role="alert" className="mt-1 text-bad-text text-small">
            {planned.words}
          </p>
          <div className="mt-2 flex gap-1.5">
            <Button onClick={() => void ask()}>{t('common.retry')}</Button>
            <Button onClick={onEnd}>{t('common.cancel')}</Button>
          </div>
        </>
      )}
      {planned.kind === 'plan' && <Consequences model={model} plan={planned.plan} onEnd={onEnd} />}
    </section>
  );
}

interface ConsequencesProps {
  model: ModelView;
  plan: DeletePlan;
  onEnd: () => void;
}

function Consequences({ model: { backend, name }, plan, onEnd }: ConsequencesProps) {
  const { t } = useTranslation();
  const format = useFormat();
  const [sure, setSure] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const { owner, place, freedBytes, diskFreeBytes, stops } = plan;
  // A server that Tandem runs keeps models that other programs got.
  const own = owner === 'tandem';
  const from = t(`models.ownersFrom.${owner}`);
  const remove = async () => {
    setBusy(true);
    setProblem(null);
    const outcome = await request('modelDelete', { backend, name, owner });
    setBusy(false);
    if (!outcome.ok) return setProblem(errorSentence(outcome.error));
    showToast({ text: t('models.deleted', { name: shortModel(name) }) });
    onEnd();
  };
  return (
    <>
      <ul className="mt-1 list-disc pl-4 text-ink-2 text-small">
        {stops.map(({ category, next }) => (
          <li key={category}>
            {next === null
              ? t('models.stops', { category: t(`models.categories.${category}`) })
              : t('models.takesOver', {
                  category: t(`models.categories.${category}`),
                  next: shortModel(next),
                })}
          </li>
        ))}
        {stops.length === 0 && <li>{t('models.stopsNothing')}</li>}
        {freedBytes !== null && (
          <li>
            {diskFreeBytes === null
              ? t('models.frees', { size: format.fileSize(freedBytes) })
              : t('models.freesOf', {
                  size: format.fileSize(freedBytes),
                  left: format.fileSize(diskFreeBytes + freedBytes),
                })}
          </li>
        )}
        {own && <li className="[overflow-wrap:anywhere]">{t('models.deleteFrom', { place })}</li>}
      </ul>
      {!own && (
        <Note tone="warn" className="mt-2">
          <p className="[overflow-wrap:anywhere]">
            {t('models.foreign', { owner: t(`models.owners.${owner}`), place })}
          </p>
          <p className="mt-1.5 flex items-center justify-between gap-3">
            <span>{t('models.foreignSure', { owner: from })}</span>
            <Switch checked={sure} onChange={setSure} label={t('models.foreignSure', { owner: from })} />
          </p>
        </Note>
      )}
      {problem !== null && (
        <p role="alert" className="mt-2 text-bad-text text-small">
          {problem}
        </p>
      )}
      <div className="mt-2.5 flex flex-wrap gap-1.5">
        <Button tone="danger" disabled={busy || (!own && !sure)} onClick={() => void remove()}>
          {own ? t('models.deleteSure') : t('models.deleteSureFrom', { owner: from })}
        </Button>
        <Button disabled={busy} onClick={onEnd}>
          {t('common.cancel')}
        </Button>
      </div>
    </>
  );
}
