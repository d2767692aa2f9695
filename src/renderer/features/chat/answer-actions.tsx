import { RotateCcw } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import type { Answer } from '../../../shared/chat';
import { saidText } from '../../../shared/thinking';
import { useLooks } from '../../components/backends';
import { IconButton } from '../../components/button';
import { CopyButton } from '../../components/copy-button';
import { retry } from '../../stores/chat-store';
import { isSettled } from '../../stores/stream-text';
import { useOtherBackend } from './use-other-backend';

/** Copy, retry, and ask another server. The line is reserved while text streams, so that nothing moves at the end. */
export function AnswerActions({ answer }: { answer: Answer }) {
  const { t } = useTranslation();
  const { meta, status, text } = answer;
  const other = useOtherBackend(answer);
  const lookOf = useLooks();
  if ((meta.notice !== null && meta.notice !== 'interrupted') || status === 'failed') return null;
  const shown = isSettled(answer);
  const { Icon: OtherIcon } = lookOf(other?.id ?? 'app');
  return (
    <div className="-ml-1.5 mt-1 flex h-[26px] items-center gap-0.5">
      {shown && (
        <>
          {text !== '' && <CopyButton text={() => saidText(answer)} label={t('chat.copyAnswer')} />}
          <IconButton label={t('chat.retry')} onClick={() => void retry(answer.id, { kind: 'auto' })}>
            <RotateCcw size={13} aria-hidden="true" />
          </IconButton>
          {other !== null && (
            <button
              type="button"
              aria-label={t('chat.askOther', { backend: other.title })}
              onClick={() => void retry(answer.id, { kind: 'backend', backend: other.id })}
              className="inline-flex h-[26px] items-center gap-1.5 rounded-control px-1.5 text-ink-2 text-small hover:bg-hover hover:text-ink"
            >
              <OtherIcon width={11} height={11} />
              {t('chat.ask', { backend: other.title })}
            </button>
          )}
        </>
      )}
    </div>
  );
}
