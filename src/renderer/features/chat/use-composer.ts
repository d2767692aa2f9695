import { useEffect, useRef, useState } from 'react';
import { useChat } from '../../stores/chat-store';
import { loadDraft, saveDraft } from '../../stores/drafts';
import { send } from '../../stores/outgoing';

/**
 * Text of the composer: the draft of the open chat, which survives a reload, or the message being edited. A sent
 * message appears in the conversation at once.
 */
export function useComposer() {
  const chatId = useChat((state) => state.chatId);
  const editing = useChat((state) => state.editing);
  const sending = useChat(({ outgoing, chatId: open }) =>
    outgoing.some((message) => message.state === 'sending' && message.chatId === open),
  );
  const [text, setText] = useState(() => loadDraft(chatId));
  const shown = useRef({ chatId, editing });

  useEffect(() => {
    const before = shown.current;
    shown.current = { chatId, editing };
    if (editing !== null && editing !== before.editing) {
      const message = useChat.getState().messages.find((candidate) => candidate.id === editing);
      setText(message?.text ?? '');
    } else if (editing === null && (before.editing !== null || before.chatId !== chatId)) {
      setText(loadDraft(chatId));
    }
  }, [chatId, editing]);

  const change = (value: string) => {
    setText(value);
    if (editing === null) saveDraft(chatId, value);
  };
  const submit = () => {
    const message = text.trim();
    if (message === '' || sending) return;
    change('');
    send(message);
  };
  return { text, setText: change, submit, sending };
}
