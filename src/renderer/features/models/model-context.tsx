import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { contextCost } from '../../../shared/context-cost';
import type { ModelView } from '../../../shared/models';
import { Select } from '../../components/select';
import { useFormat } from '../../i18n/use-format';
import { usePart } from '../../stores/core-store';
import { errorSentence, request } from '../../stores/request';
import { contextChoices } from './context-choices';

const AUTOMATIC = '';

/** The context length that a model is served with, its cost in memory, and a choice of others. */
export function ModelContext({ model }: { model: ModelView }) {
  const { t } = useTranslation();
  const format = useFormat();
  const describedBy = useId();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const { backend, name, sizeBytes, contextLength, pinnedContext, contextChosen, bytesPerToken } = model;
  const adopted = usePart('backends')?.some(({ id, ownership }) => id === backend && ownership === 'adopted');
  const withCost = (tokens: number) => {
    const bytes = contextCost({ sizeBytes, kvBytesPerToken: bytesPerToken }, tokens);
    if (bytes === 0) return format.tokenCount(tokens);
    return t(bytesPerToken === null ? 'models.contextCostMost' : 'models.contextCost', {
      tokens: format.tokenCount(tokens),
      size: format.memory(bytes),
    });
  };
  const automatic =
    pinnedContext === null || contextChosen
      ? t('models.contextAuto')
      : t('models.contextAutoNow', { now: withCost(pinnedContext) });
  const options = [
    { value: AUTOMATIC, label: automatic },
    ...contextChoices(contextLength, contextChosen ? pinnedContext : null).map((tokens) => ({
      value: String(tokens),
      label: withCost(tokens),
    })),
  ];
  const choose = async (value: string) => {
    setBusy(true);
    setProblem(null);
    const tokens = value === AUTOMATIC ? null : Number(value);
    const outcome = await request('modelContext', { backend, name, tokens });
    setBusy(false);
    if (!outcome.ok) setProblem(errorSentence(outcome.error));
  };
  const hints = [
    contextLength === null ? null : t('models.contextLimit', { tokens: format.tokens(contextLength) }),
    t(adopted ? 'models.contextAdopted' : 'models.contextHint'),
  ];
  return (
    <div>
      <div className="flex flex-wrap items-center justify-between gap-x-3 gap-y-1">
        <span>{t('models.context')}</span>
        <Select
          value={contextChosen && pinnedContext !== null ? String(pinnedContext) : AUTOMATIC}
          options={options}
          onChange={(value) => void choose(value)}
          label={t('models.contextOf', { name })}
          disabled={busy}
          describedBy={describedBy}
        />
      </div>
      <p id={describedBy} className="mt-0.5 text-ink-3 text-small">
        {hints.filter(Boolean).join(' ')}
      </p>
      {problem !== null && (
        <p role="alert" className="mt-1 text-bad-text text-small">
          {problem}
        </p>
      )}
    </div>
  );
}
