import { SquarePen } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { AttentionNote } from '../components/attention-note';
import { Button } from '../components/button';
import { ConnectionNote } from '../components/connection-note';
import { LiveRegion } from '../components/live-region';
import { Nav } from '../components/nav';
import { Strip } from '../components/strip';
import { Toaster } from '../components/toaster';
import { useWide } from '../components/use-wide';
import { ChatView } from '../features/chat/chat-view';
import { HistoryList } from '../features/chat/history-list';
import { ConnectView } from '../features/connect/connect-view';
import { ModelsView } from '../features/models/models-view';
import { SettingsPage } from '../features/settings/settings-view';
import { StatusView } from '../features/status/status-view';
import { beginChat } from '../stores/chat-store';
import { useUi, type View } from '../stores/ui-store';
import { useFocusKeeper } from './use-focus-keeper';
import { useKeys } from './use-keys';

/** The window: in the popover one view at a time, from 720 px on the views side by side. */
export function App() {
  useKeys();
  useFocusKeeper();
  const wide = useWide();
  const view = useUi((state) => state.view);
  // The drawer covers everything else, so it contains its own notes.
  const drawer = useUi((state) => state.drawer) && !wide;
  return (
    <div className="flex h-full min-h-0 flex-col">
      <Strip wide={wide} />
      <ConnectionNote />
      <AttentionNote />
      {wide ? <Columns view={view} /> : <CurrentView view={view} />}
      {!drawer && <Toaster />}
      {!wide && <Nav wide={false} />}
      <LiveRegion />
    </div>
  );
}

function CurrentView({ view }: { view: View }) {
  switch (view) {
    case 'chat':
      return <ChatView />;
    case 'models':
      return <ModelsView />;
    case 'status':
      return <StatusView />;
    case 'connect':
      return <ConnectView />;
    case 'settings':
      return <SettingsPage />;
  }
}

function Columns({ view }: { view: View }) {
  const { t } = useTranslation();
  return (
    <div className="flex min-h-0 flex-1">
      <aside className="flex w-[clamp(168px,21vw,260px)] shrink-0 flex-col border-line border-r bg-side">
        <Nav wide />
        <div className="px-2 pt-1 pb-2">
          <Button className="w-full" onClick={beginChat}>
            <SquarePen size={13} aria-hidden="true" />
            {t('chat.newChat')}
          </Button>
        </div>
        <HistoryList />
      </aside>
      <CurrentView view={view} />
      {view !== 'status' && (
        <aside className="flex w-[clamp(216px,28vw,350px)] shrink-0 border-line border-l bg-side">
          <StatusView compact />
        </aside>
      )}
    </div>
  );
}
