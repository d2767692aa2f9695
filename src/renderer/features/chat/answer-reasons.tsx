import { ChevronDown } from 'lucide-react';
import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Answer, Target } from '../../../shared/chat';
import type { BackendId, BackendInstance } from '../../../shared/domain';
import { useInstances } from '../../components/backends';
import { cx } from '../../components/cx';
import { useFormat } from '../../i18n/use-format';
import { retry } from '../../stores/chat-store';
import { isSettled } from '../../stores/stream-text';
import { reasonSentence, wasSpared } from './reason-words';
import { useOtherBackends } from './use-other-backends';

/**
 * The “Why?” button and its panel. Overlaps the label's line, so that the button stays in place when the panel opens
 * below.
 */
export function AnswerReasons({ answer }: { answer: Answer }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const panel = useId();
  const { meta } = answer;
  if (meta.reasons.length === 0 && meta.category === null) return null;
  return (
    <div
      data-testid="answer-reasons"
      className={cx(
        'pointer-events-none col-start-1 row-span-2 row-start-1 grid grid-rows-[24px_auto]',
        open ? 'justify-items-stretch' : 'justify-self-end',
      )}
    >
      <button
        type="button"
        aria-expanded={open}
        aria-controls={panel}
        onClick={() => setOpen(!open)}
        className="pointer-events-auto inline-flex h-6 items-center gap-0.5 justify-self-end rounded-badge px-1.5 text-ink-2 text-small hover:bg-hover hover:text-ink aria-expanded:text-accent-text"
      >
        {t('why.button')}
        <ChevronDown
          size={12}
          aria-hidden="true"
          className={cx('transition-transform duration-100', open && 'rotate-180')}
        />
      </button>
      <section id={panel} hidden={!open} aria-label={t('why.title')} className="pointer-events-auto">
        <ReasonsPanel answer={answer} />
      </section>
    </div>
  );
}

function ReasonsPanel({ answer }: { answer: Answer }) {
  const { t } = useTranslation();
  const format = useFormat();
  const instances = useInstances();
  const { meta } = answer;
  const sentences = [...new Set(meta.reasons.map((code) => reasonSentence(code, t, instances)))];
  const others = useOtherBackends(answer);
  const rows: [string, string][] = [];
  if (meta.category) rows.push([t('why.category'), t(`why.categories.${meta.category}`)]);
  rows.push([t('why.chosen'), sentences.length > 0 ? sentences.join(' ') : t('why.none')]);
  if (meta.queueMs !== null && meta.queueMs >= 100)
    rows.push([t('why.waited'), format.duration(meta.queueMs)]);
  if (meta.promptTokens !== null && meta.completionTokens !== null) {
    const counts = { in: format.number(meta.promptTokens), out: format.number(meta.completionTokens) };
    rows.push([t('why.tokens'), t('why.inAndOut', counts)]);
  }
  return (
    <div className="fade-in mt-1 mb-1 rounded-[10px] border border-line bg-card px-3 py-2 text-small">
      <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-3 gap-y-1">
        {rows.map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-ink-3">{name}</dt>
            <dd className="text-ink-2" title={name === t('why.chosen') ? meta.reasons.join(', ') : undefined}>
              {value}
            </dd>
          </div>
        ))}
      </dl>
      {isSettled(answer) && others.map((other) => <AskOther key={other.id} answer={answer} other={other} />)}
    </div>
  );
}

function AskOther({ answer, other }: { answer: Answer; other: BackendInstance }) {
  const { t } = useTranslation();
  const spared = other.role === 'light' && wasSpared(answer.meta.reasons);
  const target: Target = spared ? sparedTarget(other.id, answer) : { kind: 'backend', backend: other.id };
  return (
    <button
      type="button"
      title={spared ? t('answer.tryAnywayRisk') : undefined}
      onClick={() => void retry(answer.id, target, spared)}
      className="-ml-1.5 mt-1 mr-3 rounded-badge px-1.5 py-1 font-[550] text-accent-text hover:bg-accent-soft"
    >
      {t(spared ? 'chat.askAnyway' : 'chat.askOther', { backend: other.title })}
    </button>
  );
}

/** The target that the memory guard kept from a server: the model that the user chose there, if any. */
function sparedTarget(backend: BackendId, { meta: { target } }: Answer): Target {
  return target?.kind === 'model' && target.backend === backend ? target : { kind: 'backend', backend };
}
