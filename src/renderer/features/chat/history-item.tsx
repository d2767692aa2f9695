import type { ChatSummary } from '../../../shared/chat';
import { cx } from '../../components/cx';
import { openChat, useChat } from '../../stores/chat-store';
import { showView } from '../../stores/ui-store';
import { ChatMenu } from './chat-menu';
import { moveInHistory } from './history-keys';
import { RenameField } from './rename-field';
import { useRenaming } from './use-renaming';

/** One chat of the history: its title and a line of its last answer. Opened from a search, it jumps to the match. */
export function HistoryItem({ chat, find }: { chat: ChatSummary; find: string | null }) {
  const current = useChat((state) => state.chatId === chat.id);
  const renaming = useRenaming();
  if (renaming.chatId === chat.id) {
    return (
      <li className="px-1 py-1.5">
        <RenameField chat={chat} onEnd={renaming.end} />
      </li>
    );
  }
  return (
    <li className="group relative">
      <button
        type="button"
        data-chat={chat.id}
        onKeyDown={moveInHistory}
        aria-current={current || undefined}
        onClick={() => {
          showView('chat');
          void openChat(chat.id, find);
        }}
        className={cx(
          'block w-full rounded-control px-2 py-1.5 text-left transition-colors duration-100',
          current ? 'bg-accent-soft' : 'hover:bg-hover',
        )}
      >
        <span dir="auto" className={cx('block truncate pr-5', current && 'font-[550]')}>
          {chat.title}
        </span>
        <span dir="auto" className="block truncate pr-5 text-ink-3 text-mini">
          {chat.preview || '\u00a0'}
        </span>
      </button>
      <span className="absolute top-1.5 right-1 opacity-0 focus-within:opacity-100 group-hover:opacity-100 has-[[data-state=open]]:opacity-100">
        <ChatMenu chat={chat} onRename={() => renaming.begin(chat.id)} />
      </span>
    </li>
  );
}
