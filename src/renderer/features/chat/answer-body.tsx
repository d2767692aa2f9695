import { Fragment } from 'react';
import { useTranslation } from 'react-i18next';
import type { Answer } from '../../../shared/chat';
import { Markdown } from '../../components/markdown/markdown';
import { Note } from '../../components/note';
import { causeClause } from './reason-words';

type Break = Answer['meta']['breaks'][number];

/** The text, parted where one server stopped and the other went on. */
export function AnswerBody({ answer }: { answer: Answer }) {
  const { text, meta, status } = answer;
  const writing = status === 'streaming';
  const marks = meta.breaks.filter((mark) => mark.at <= text.length);
  const ends = [...marks.map((mark) => mark.at), text.length];
  return ends.map((end, index) => {
    const start = index === 0 ? 0 : (ends[index - 1] ?? 0);
    const mark = marks[index];
    const part = text.slice(start, end);
    return (
      // biome-ignore lint/suspicious/noArrayIndexKey: parts only ever grow at the end
      <Fragment key={index}>
        {part !== '' && <Markdown text={part} writing={writing && index === ends.length - 1} />}
        {mark && <BreakMark mark={mark} />}
      </Fragment>
    );
  });
}

function BreakMark({ mark }: { mark: Break }) {
  const { t } = useTranslation();
  const from = t(`backend.${mark.from}`);
  const reason = causeClause(mark.reason, t);
  if (mark.to === null) {
    return (
      <Note tone="warn" className="my-2.5">
        {t('answer.brokeAlone', { from })}
      </Note>
    );
  }
  const to = t(`backend.${mark.to}`);
  return (
    <Note tone="warn" className="my-2.5">
      {reason === null ? t('answer.broke', { from, to }) : t('answer.brokeWhy', { from, to, reason })}
    </Note>
  );
}
