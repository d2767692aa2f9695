import { RotateCcw } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { Button } from '../../components/button';
import { Note } from '../../components/note';
import type { Outgoing } from '../../stores/chat-store';
import { discard, sendAgain } from '../../stores/outgoing';
import { errorSentence } from '../../stores/request';
import { focusComposer } from '../../stores/ui-store';

/** Below a message that the core has not confirmed: that it is being sent, or why it failed, and what to do. */
export function Delivery({ message }: { message: Outgoing }) {
  const { t } = useTranslation();
  if (message.state === 'sending') {
    return (
      <p data-testid="delivery" className="late -mt-3 h-6 text-right text-ink-3 text-small">
        {t('chat.sending')}
      </p>
    );
  }
  return (
    <div data-testid="delivery" className="-mt-2 max-w-[84%] self-end">
      <Note tone="bad">
        <p>
          <b className="font-[600]">{t('chat.notSent')}</b> {message.error && errorSentence(message.error)}
        </p>
        <div className="-ml-2.5 mt-0.5 flex flex-wrap">
          <Button tone="plain" onClick={() => sendAgain(message)}>
            <RotateCcw size={12} aria-hidden="true" />
            {t('chat.sendAgain')}
          </Button>
          <Button
            tone="plain"
            onClick={() => {
              discard(message);
              focusComposer();
            }}
          >
            {t('common.remove')}
          </Button>
        </div>
      </Note>
    </div>
  );
}
