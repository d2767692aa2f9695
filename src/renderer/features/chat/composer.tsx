import { X } from 'lucide-react';
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { IconButton } from '../../components/button';
import { isComposing } from '../../components/composition';
import { SendIcon } from '../../components/icons';
import { Shortcut } from '../../components/shortcut';
import { activeAnswerId, setEditing, stop, useChat } from '../../stores/chat-store';
import { usePart } from '../../stores/core-store';
import { loadDraft, saveDraft } from '../../stores/drafts';
import { send } from '../../stores/outgoing';
import { focusComposer, useUi } from '../../stores/ui-store';
import { TargetMenu } from './target-menu';
import { useSmallAlone } from './use-small-alone';

/** The message editor. Enter sends, Shift-Enter breaks the line, Up in an empty field edits the last message. */
export function Composer() {
  const { t } = useTranslation();
  const smallAlone = useSmallAlone();
  const active = useChat(activeAnswerId);
  const editing = useChat((state) => state.editing);
  const focus = useUi((state) => state.focusComposer);
  const composer = useComposer();
  const field = useRef<HTMLTextAreaElement>(null);

  useEffect(() => {
    if (focus >= 0) field.current?.focus({ preventScroll: true });
  }, [focus]);

  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (isComposing(event.nativeEvent)) return;
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      composer.submit();
    } else if (event.key === 'ArrowUp' && composer.text === '' && editing === null) {
      const last = useChat.getState().messages.findLast((message) => message.role === 'user');
      if (!last) return;
      event.preventDefault();
      setEditing(last.id);
    } else if (event.key === 'Escape' && editing !== null) {
      event.stopPropagation();
      setEditing(null);
    }
  };

  return (
    <div className="mx-auto w-full max-w-[784px] shrink-0 px-3 pb-2.5">
      <div className="rounded-[14px] border border-line-2 bg-card shadow-[0_1px_3px_var(--shadow)] transition-[border-color,box-shadow] duration-100 focus-within:border-accent focus-within:shadow-[0_0_0_3px_color-mix(in_srgb,var(--color-accent)_14%,transparent)]">
        {editing !== null && (
          <div className="flex items-center gap-1 border-line border-b py-1 pr-1 pl-3 text-ink-2 text-small">
            <span className="min-w-0 grow truncate">
              <b className="font-[600]">{t('chat.editing')}</b> · {t('chat.editingRisk')}
            </span>
            <IconButton
              label={t('chat.cancelEdit')}
              onClick={() => {
                setEditing(null);
                focusComposer();
              }}
            >
              <X size={13} aria-hidden="true" />
            </IconButton>
          </div>
        )}
        <textarea
          ref={field}
          data-testid="message-input"
          rows={1}
          value={composer.text}
          aria-label={t('chat.message')}
          placeholder={t(smallAlone ? 'chat.placeholderSmall' : 'chat.placeholder')}
          onChange={(event) => composer.setText(event.target.value)}
          onKeyDown={onKeyDown}
          className="composer-input block w-full resize-none overflow-y-auto bg-transparent px-3 pt-2.5 pb-1 outline-none"
        />
        <div className="flex items-center gap-2 pr-1.5 pb-1.5 pl-1.5">
          <TargetMenu />
          <span className="grow" />
          <Hint answering={active !== null} />
          {active !== null && (
            <button
              type="button"
              data-testid="stop"
              aria-label={t('chat.stop')}
              title={t('chat.stop')}
              onClick={() => {
                void stop(active);
                focusComposer();
              }}
              className="grid size-7 shrink-0 place-items-center rounded-full bg-ink text-bg"
            >
              <span className="size-[9px] rounded-[2px] bg-bg" aria-hidden="true" />
            </button>
          )}
          {(active === null || composer.text.trim() !== '') && (
            <button
              type="button"
              data-testid="send"
              aria-label={t('chat.send')}
              title={t('chat.send')}
              disabled={composer.text.trim() === '' || composer.sending}
              onClick={() => {
                composer.submit();
                focusComposer();
              }}
              className="grid size-7 shrink-0 place-items-center rounded-full bg-accent text-on-accent transition-colors duration-100 disabled:bg-fill disabled:text-ink-3"
            >
              <SendIcon width={13} height={13} />
            </button>
          )}
        </div>
      </div>
    </div>
  );
}

/** The most useful key right now. A browser reserves Cmd-N, so another key is named there. */
function Hint({ answering }: { answering: boolean }) {
  const { t } = useTranslation();
  const inApp = usePart('app')?.host === 'electron';
  return (
    <span
      className="flex shrink-0 items-center gap-1.5 text-ink-3 text-mini max-[380px]:hidden"
      aria-hidden="true"
    >
      {answering ? (
        <>
          <Shortcut keys={['esc']} /> {t('chat.hintStop')}
        </>
      ) : (
        <>
          <Shortcut keys={inApp ? ['mod', 'N'] : ['mod', 'shift', 'O']} /> {t('chat.hintNew')}
        </>
      )}
    </span>
  );
}

/**
 * Text of the composer: the draft of the open chat, which survives a reload, or the message being edited. A sent
 * message appears in the conversation at once.
 */
function useComposer() {
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
