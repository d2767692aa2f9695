import { ArrowDown } from 'lucide-react';
import { Fragment, useMemo, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { useShallow } from 'zustand/react/shallow';
import type { Message } from '../../../shared/chat';
import { Button } from '../../components/button';
import { Note } from '../../components/note';
import { type Outgoing, reopen, useChat } from '../../stores/chat-store';
import { before, outgoingOf } from '../../stores/outgoing';
import { Delivery } from './delivery';
import { EmptyState } from './empty-state';
import { groupTurns, type Turn, TurnView } from './turn-view';
import { useAutoscroll } from './use-autoscroll';
import { useFound } from './use-found';

/** The conversation. It scrolls with the text while the reader is at its end. */
export function MessageList() {
  const { t } = useTranslation();
  const chatId = useChat((state) => state.chatId);
  const messages = useChat((state) => state.messages);
  const phase = useChat((state) => state.phase);
  const outgoing = useChat(useShallow(outgoingOf));
  const turns = useMemo(() => turnsWith(messages, outgoing), [messages, outgoing]);
  const scroller = useRef<HTMLDivElement>(null);
  useFound(scroller, messages.length > 0);
  const { away, toEnd } = useAutoscroll(scroller, `${chatId}${turns.length}`, turns.length > 0);
  return (
    <div className="relative min-h-0 flex-1">
      <div ref={scroller} className="h-full overflow-y-auto overscroll-contain [overflow-anchor:none]">
        <div className="mx-auto flex min-h-full max-w-[760px] flex-col gap-4 px-3.5 pt-1 pb-4">
          {phase === 'opening' && <Skeleton label={t('chat.opening')} />}
          {phase === 'failed' && (
            <Note tone="bad">
              {t('chat.openFailed')}{' '}
              <Button tone="plain" onClick={() => void reopen()}>
                {t('common.retry')}
              </Button>
            </Note>
          )}
          {phase === 'idle' && turns.length === 0 && <EmptyState />}
          {turns.map((turn, index) => {
            const sent = outgoing.find(({ id }) => id === turn.user.id);
            return (
              <Fragment key={turn.user.id}>
                <TurnView turn={turn} editable={!sent && index === turns.length - 1} />
                {sent && <Delivery message={sent} />}
              </Fragment>
            );
          })}
        </div>
      </div>
      {away && (
        <button
          type="button"
          onClick={toEnd}
          aria-label={t('chat.jump')}
          title={t('chat.jump')}
          className="rise absolute bottom-2 left-1/2 grid size-8 -translate-x-1/2 place-items-center rounded-full border border-line-2 bg-card text-ink-2 shadow-[0_3px_12px_var(--shadow)] hover:text-ink"
        >
          <ArrowDown size={15} aria-hidden="true" />
        </button>
      )}
    </div>
  );
}

/** The turns of a chat, then its unconfirmed messages; the new text of an edited message replaces the old one. */
function turnsWith(messages: readonly Message[], outgoing: readonly Outgoing[]): Turn[] {
  const edited = outgoing.find(({ state, editing }) => state === 'sending' && editing !== null)?.editing;
  const kept = edited ? before(messages, edited) : messages;
  const added = outgoing.map(
    ({ id, text }): Turn => ({ user: { role: 'user', id, chatId: '', text, at: 0 }, answers: [] }),
  );
  return [...groupTurns(kept), ...added];
}

function Skeleton({ label }: { label: string }) {
  return (
    <div role="status" aria-label={label} className="grid gap-3 pt-4">
      <span className="skeleton ml-auto h-8 w-1/2" />
      <span className="skeleton h-4 w-1/3" />
      <span className="skeleton h-4 w-11/12" />
      <span className="skeleton h-4 w-4/5" />
    </div>
  );
}
