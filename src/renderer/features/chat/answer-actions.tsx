import { RotateCcw } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import type { Answer } from '../../../shared/chat';
import type { BackendId } from '../../../shared/domain';
import { saidText } from '../../../shared/thinking';
import { useLooks } from '../../components/backends';
import { IconButton } from '../../components/button';
import { CopyButton } from '../../components/copy-button';
import { retry } from '../../stores/chat-store';
import { isSettled } from '../../stores/stream-text';
import { useOtherBackends } from './use-other-backends';

/** Copy, retry, and ask another server. The line is reserved while text streams, so that nothing moves at the end. */
export function AnswerActions({ answer }: { answer: Answer }) {
  const { t } = useTranslation();
  const { meta, status, text } = answer;
  const others = useOtherBackends(answer);
  if ((meta.notice !== null && meta.notice !== 'interrupted') || status === 'failed') return null;
  const shown = isSettled(answer);
  return (
    <div className="-ml-1.5 mt-1 flex min-h-[26px] flex-wrap items-center gap-0.5">
      {shown && (
        <>
          {text !== '' && <CopyButton text={() => saidText(answer)} label={t('chat.copyAnswer')} />}
          <IconButton label={t('chat.retry')} onClick={() => void retry(answer.id, { kind: 'auto' })}>
            <RotateCcw size={13} aria-hidden="true" />
          </IconButton>
          {others.map(({ id, title }) => (
            <AskOther key={id} answer={answer} backend={id} title={title} />
          ))}
        </>
      )}
    </div>
  );
}

function AskOther({ answer, backend, title }: { answer: Answer; backend: BackendId; title: string }) {
  const { t } = useTranslation();
  const { Icon } = useLooks()(backend);
  return (
    <button
      type="button"
      aria-label={t('chat.askOther', { backend: title })}
      onClick={() => void retry(answer.id, { kind: 'backend', backend })}
      className="inline-flex h-[26px] items-center gap-1.5 rounded-control px-1.5 text-ink-2 text-small hover:bg-hover hover:text-ink"
    >
      <Icon width={11} height={11} />
      {t('chat.ask', { backend: title })}
    </button>
  );
}
