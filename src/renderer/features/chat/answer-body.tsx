import { Fragment } from 'react';
import { useTranslation } from 'react-i18next';
import type { Answer } from '../../../shared/chat';
import { answerParts, splitThinking } from '../../../shared/thinking';
import { Markdown } from '../../components/markdown/markdown';
import { Note } from '../../components/note';
import { backendName } from '../../i18n/backend-name';
import { causeClause } from './reason-words';
import { Thinking } from './thinking';

type Break = Answer['meta']['breaks'][number];

/** The text, split where one server stopped and the other continued. */
export function AnswerBody({ answer }: { answer: Answer }) {
  const { text, meta, status } = answer;
  const writing = status === 'streaming' && !meta.recovery;
  const marks = meta.breaks.filter((mark) => mark.at <= text.length);
  const parts = answerParts(answer).map(splitThinking);
  return parts.map((part, index) => {
    const mark = marks[index];
    const last = writing && index === parts.length - 1;
    return (
      // biome-ignore lint/suspicious/noArrayIndexKey: parts only ever grow at the end
      <Fragment key={index}>
        {(part.thinking !== '' || (last && !part.closed)) && (
          <Thinking text={part.thinking} writing={last && !part.closed} ms={meta.thinkingMs} />
        )}
        {part.said !== '' && <Markdown text={part.said} writing={last} />}
        {mark && <BreakMark mark={mark} />}
      </Fragment>
    );
  });
}

function BreakMark({ mark }: { mark: Break }) {
  const { t } = useTranslation();
  const from = backendName(mark.from, t);
  // The reason is `<from>-<cause>`.
  const reason = causeClause(mark.reason.slice(mark.from.length + 1), t);
  if (mark.to === null) {
    return (
      <Note tone="warn" className="my-2.5">
        {t('answer.brokeAlone', { from })}
      </Note>
    );
  }
  const to = backendName(mark.to, t);
  const [plain, why] =
    mark.from === mark.to
      ? (['answer.brokeBack', 'answer.brokeBackWhy'] as const)
      : (['answer.broke', 'answer.brokeWhy'] as const);
  return (
    <Note tone="warn" className="my-2.5">
      {reason === null ? t(plain, { from, to }) : t(why, { from, to, reason })}
    </Note>
  );
}
