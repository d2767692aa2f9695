import { PanelLeft, SquarePen } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { IconButton } from '../../components/button';
import { beginChat, useChat } from '../../stores/chat-store';
import { usePart } from '../../stores/core-store';
import { setDrawer } from '../../stores/ui-store';
import { ChatMenu } from './chat-menu';
import { RenameField } from './rename-field';
import { useRenaming } from './use-renaming';

/** Title of the open chat, with buttons for the history and a new chat. */
export function ChatHeader({ wide }: { wide: boolean }) {
  const { t } = useTranslation();
  const chatId = useChat((state) => state.chatId);
  const chat = usePart('chats')?.find((candidate) => candidate.id === chatId);
  const renaming = useRenaming();
  return (
    <div className="flex h-9 shrink-0 items-center gap-1 px-2">
      {!wide && (
        <IconButton label={t('chat.openHistory')} onClick={() => setDrawer(true)}>
          <PanelLeft size={15} aria-hidden="true" />
        </IconButton>
      )}
      <div className="flex min-w-0 grow items-center justify-center">
        {chat && renaming.chatId === chat.id ? (
          <RenameField chat={chat} onEnd={renaming.end} />
        ) : (
          <h1 className="truncate font-[600] text-ink-2 text-small">{chat?.title ?? t('chat.untitled')}</h1>
        )}
      </div>
      {chat && <ChatMenu chat={chat} onRename={() => renaming.begin(chat.id)} />}
      {!wide && (
        <IconButton label={t('chat.newChat')} onClick={beginChat}>
          <SquarePen size={15} aria-hidden="true" />
        </IconButton>
      )}
    </div>
  );
}
