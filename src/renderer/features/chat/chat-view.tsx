import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { useWide } from '../../components/use-wide';
import { ChatHeader } from './chat-header';
import { Composer } from './composer';
import { HistoryDrawer } from './history-drawer';
import { MessageList } from './message-list';

/** The conversation with its composer; in the narrow layout also the history drawer. */
export function ChatView() {
  const { t } = useTranslation();
  const wide = useWide();
  useEffect(() => {
    document.title = 'Tandem';
  }, []);
  return (
    <main
      tabIndex={-1}
      aria-label={t('chat.region')}
      className="relative flex min-h-0 min-w-0 flex-1 flex-col"
    >
      <ChatHeader wide={wide} />
      <MessageList />
      <Composer />
      {!wide && <HistoryDrawer />}
    </main>
  );
}
