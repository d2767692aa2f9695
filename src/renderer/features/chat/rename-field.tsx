import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { ChatSummary } from '../../../shared/chat';
import { isComposing } from '../../components/composition';
import { perform } from '../../stores/request';

/** The chat's name as a field: Enter or blur saves, Escape discards. */
export function RenameField({ chat, onEnd }: { chat: ChatSummary; onEnd: () => void }) {
  const { t } = useTranslation();
  const [title, setTitle] = useState(chat.title);
  const field = useRef<HTMLInputElement>(null);
  const settled = useRef(false);

  useEffect(() => {
    // By then the menu that started the renaming is closed.
    const timer = setTimeout(() => field.current?.select(), 0);
    return () => clearTimeout(timer);
  }, []);

  const end = (save: boolean) => {
    if (settled.current) return;
    settled.current = true;
    const trimmed = title.trim();
    if (save && trimmed !== '' && trimmed !== chat.title) {
      void perform('chatRename', { chatId: chat.id, title: trimmed });
    }
    onEnd();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (isComposing(event.nativeEvent) || (event.key !== 'Enter' && event.key !== 'Escape')) return;
    event.stopPropagation();
    event.preventDefault();
    end(event.key === 'Enter');
  };
  return (
    <input
      ref={field}
      value={title}
      maxLength={200}
      aria-label={t('chat.renameLabel')}
      onChange={(event) => setTitle(event.target.value)}
      onKeyDown={onKeyDown}
      onBlur={() => end(true)}
      className="h-6 w-full min-w-0 rounded-badge border border-accent bg-card px-1.5 text-small outline-none"
    />
  );
}
