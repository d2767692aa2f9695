import { useTranslation } from 'react-i18next';
import type { Answer } from '../../../shared/chat';
import { shortModel } from '../../components/backend-words';
import { Badge } from '../../components/badge';
import { Mark } from '../../components/mark';
import { backendName } from '../../i18n/backend-name';
import { useFormat } from '../../i18n/use-format';

/** Who answered, with which model, how soon and how fast. Its line is reserved before anything is known. */
export function AnswerLabel({ answer }: { answer: Answer }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { source, model, ttftMs, tokensPerSecond, completionTokens } = answer.meta;
  const tokens = completionTokens === null ? '' : ` · ${t('answer.tokens', { count: completionTokens })}`;
  return (
    <div
      data-testid="answer-label"
      className="col-start-1 row-start-1 flex h-6 min-w-0 items-center gap-1.5 pr-21 text-ink-3 text-small tabular-nums"
    >
      {source === null ? (
        <span className="skeleton h-[19px] w-14" aria-hidden="true" />
      ) : (
        <>
          <span className="sr-only">{t('answer.label', { backend: backendName(source, t) })}</span>
          <span aria-hidden="true" className="contents">
            <Badge source={source} />
          </span>
        </>
      )}
      {model !== null && (
        <span className="min-w-0 truncate" title={model}>
          {shortModel(model)}
        </span>
      )}
      {ttftMs !== null && (
        <span className="shrink-0" title={`${t('answer.ttft')}: ${format.number(ttftMs)} ms`}>
          <span aria-hidden="true">· </span>
          <span className="sr-only">{t('answer.ttft')}: </span>
          {format.duration(ttftMs)}
        </span>
      )}
      {answer.status === 'streaming' && !answer.meta.recovery && <Mark shape="working" />}
      {tokensPerSecond !== null && (
        <span
          className="shrink-0"
          title={`${t('answer.speed')}: ${format.speed(Math.round(tokensPerSecond * 10) / 10)}${tokens}`}
        >
          <span aria-hidden="true">· </span>
          <span className="sr-only">{t('answer.speed')}: </span>
          {format.speed(tokensPerSecond)}
        </span>
      )}
    </div>
  );
}
