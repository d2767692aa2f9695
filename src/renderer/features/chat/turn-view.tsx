import { Pencil } from 'lucide-react';
import { memo } from 'react';
import { useTranslation } from 'react-i18next';
import { IconButton } from '../../components/button';
import { chooseAnswer, setEditing, shownAnswer, useChat } from '../../stores/chat-store';
import { focusComposer } from '../../stores/ui-store';
import { AnswerTabs } from './answer-tabs';
import { AnswerView } from './answer-view';
import type { Turn } from './turns';
import { UserText } from './user-text';

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
