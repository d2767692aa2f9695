import { useEffect, useRef, useState } from 'react';
import { send, useChat } from '../../stores/chat-store';
import { loadDraft, saveDraft } from '../../stores/drafts';

/**
 * Text of the composer: the draft of the open chat, kept over reloads, or the message being edited. Nothing typed
 * is lost: a message that could not be stored stays in the field.
 */
export function useComposer() {
  const chatId = useChat((state) => state.chatId);
  const editing = useChat((state) => state.editing);
  const sending = useChat((state) => state.sending);
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
  const submit = async () => {
    const message = text.trim();
    if (message === '' || sending) return;
    setText('');
    if (!(await send(message))) setText((typed) => (typed === '' ? text : typed));
  };
  return { text, setText: change, submit, sending };
}
