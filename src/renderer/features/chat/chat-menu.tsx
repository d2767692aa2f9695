import { Ellipsis, Pencil, Trash2 } from 'lucide-react';
import { useRef } from 'react';
import { useTranslation } from 'react-i18next';
import type { ChatSummary } from '../../../shared/chat';
import { IconButton } from '../../components/button';
import { Menu, MenuItem } from '../../components/menu';
import { openChat, useChat } from '../../stores/chat-store';
import { errorSentence, perform, request } from '../../stores/request';
import { showToast } from '../../stores/ui-store';

/** Rename and delete. A deleted chat can be restored while its toast is visible. */
export function ChatMenu({ chat, onRename }: { chat: ChatSummary; onRename: () => void }) {
  const { t } = useTranslation();
  const renames = useRef(false);
  const remove = async () => {
    const outcome = await request('chatDelete', { chatId: chat.id });
    if (!outcome.ok) {
      showToast({ text: errorSentence(outcome.error), tone: 'error' });
      return;
    }
    if (useChat.getState().chatId === chat.id) void openChat(null);
    const restore = async () => {
      if (await perform('chatRestore', { chatId: chat.id })) void openChat(chat.id);
    };
    showToast(
      { text: t('chat.deleted'), action: { label: t('common.undo'), run: () => void restore() } },
      outcome.value.undoMs,
    );
  };
  return (
    <Menu
      onCloseAutoFocus={(event) => {
        // The rename field takes the focus; returning the focus would end the renaming.
        if (renames.current) event.preventDefault();
        renames.current = false;
      }}
      trigger={
        <IconButton label={t('chat.more', { title: chat.title })}>
          <Ellipsis size={15} aria-hidden="true" />
        </IconButton>
      }
    >
      <MenuItem
        icon={<Pencil size={13} aria-hidden="true" />}
        onSelect={() => {
          renames.current = true;
          onRename();
        }}
      >
        {t('chat.rename')}
      </MenuItem>
      <MenuItem icon={<Trash2 size={13} aria-hidden="true" />} danger onSelect={() => void remove()}>
        {t('chat.delete')}
      </MenuItem>
    </Menu>
  );
}
