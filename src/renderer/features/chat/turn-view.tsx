import { Pencil } from 'lucide-react';
import { memo } from 'react';
import { useTranslation } from 'react-i18next';
import type { Answer, Message, UserMessage } from '../../../shared/chat';
import { IconButton } from '../../components/button';
import { chooseAnswer, setEditing, shownAnswer, useChat } from '../../stores/chat-store';
import { focusComposer } from '../../stores/ui-store';
import { AnswerTabs } from './answer-tabs';
import { AnswerView } from './answer-view';
import { UserText } from './user-text';

/** A user message with all its answers, oldest first. */
export interface Turn {
  user: UserMessage;
  answers: readonly Answer[];
}

/** Groups messages into turns. Answers keep their order; an answer without its message is left out. */
export function groupTurns(messages: readonly Message[]): Turn[] {
  const answers = new Map<string, Answer[]>();
  for (const message of messages) {
    if (message.role !== 'assistant') continue;
    const list = answers.get(message.replyTo);
    if (list) list.push(message);
    else answers.set(message.replyTo, [message]);
  }
  return messages
    .filter((message) => message.role === 'user')
    .map((user) => ({ user, answers: answers.get(user.id) ?? [] }));
}

interface TurnViewProps {
  turn: Turn;
  /** Only the last message can be edited. */
  editable: boolean;
}

/** One message and its answers; the newest answer is shown, the others are behind tabs. */
export const TurnView = memo(
  function TurnView({ turn, editable }: TurnViewProps) {
    const { t } = useTranslation();
    const { user, answers } = turn;
    const chosen = useChat((state) => state.chosen);
    const shown = shownAnswer({ chosen }, user.id, answers);
    const newest = answers.at(-1);
    return (
      <>
        <div className="group flex items-start justify-end gap-1 pt-2">
          {editable && (
            <IconButton
              label={t('chat.edit')}
              className="mt-1 opacity-0 focus-visible:opacity-100 group-hover:opacity-100"
              onClick={() => {
                setEditing(user.id);
                focusComposer();
              }}
            >
              <Pencil size={13} aria-hidden="true" />
            </IconButton>
          )}
          <div
            data-message={user.id}
            className="max-w-[84%] rounded-[14px] rounded-br-[5px] bg-user px-3 py-[7px]"
          >
            <span className="sr-only">{t('common.you')}: </span>
            <UserText text={user.text} />
          </div>
        </div>
        {newest && shown && answers.length > 1 && (
          <AnswerTabs
            answers={answers}
            shown={shown.id}
            onShow={(answerId) => chooseAnswer(user.id, answerId, newest.id)}
          />
        )}
        {shown && <AnswerView key={shown.id} answer={shown} />}
      </>
    );
  },
  (before, after) =>
    before.editable === after.editable &&
    before.turn.user === after.turn.user &&
    before.turn.answers.length === after.turn.answers.length &&
    before.turn.answers.every((answer, index) => answer === after.turn.answers[index]),
);
