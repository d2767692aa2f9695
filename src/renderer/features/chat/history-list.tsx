import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { ChatSummary } from '../../../shared/chat';
import { SearchInput } from '../../components/search-input';
import { type DayGroup, dayGroup } from '../../i18n/format';
import { usePart } from '../../stores/core-store';
import { HistoryItem } from './history-item';
import { moveInHistory } from './history-keys';
import { useChatSearch } from './use-chat-search';

/** All chats by day, newest first, with a full-text search. */
export function HistoryList() {
  const { t } = useTranslation();
  const [query, setQuery] = useState('');
  const found = useChatSearch(query);
  const all = usePart('chats');
  const chats = found ?? all ?? [];
  return (
    <div data-history="" className="flex min-h-0 flex-1 flex-col">
      <div className="mx-2 mb-2">
        <SearchInput
          query={query}
          onQuery={setQuery}
          label={t('chat.search')}
          part="chat-search"
          onKey={moveInHistory}
        />
      </div>
      <nav aria-label={t('chat.history')} className="min-h-0 flex-1 overflow-y-auto px-2 pb-3">
        {all === undefined && <HistorySkeleton />}
        {all !== undefined && chats.length === 0 && (
          <p className="px-2 py-3 text-ink-3 text-small">
            {query.trim() === '' ? t('chat.noChats') : t('chat.noHits', { query: query.trim() })}
          </p>
        )}
        {found ? <Items chats={found} find={query.trim()} /> : <Groups chats={chats} />}
      </nav>
    </div>
  );
}

const GROUPS: readonly DayGroup[] = ['today', 'yesterday', 'week', 'earlier'];

function Groups({ chats }: { chats: readonly ChatSummary[] }) {
  const { t } = useTranslation();
  const now = Date.now();
  const byGroup = Map.groupBy(chats, (chat) => dayGroup(chat.updatedAt, now));
  return GROUPS.map((group) => {
    const members = byGroup.get(group);
    if (!members) return null;
    return (
      <section key={group} aria-label={t(`time.${group}`)}>
        <h2 className="px-2 pt-2.5 pb-1 font-[600] text-ink-3 text-mini">{t(`time.${group}`)}</h2>
        <Items chats={members} find={null} />
      </section>
    );
  });
}

function Items({ chats, find }: { chats: readonly ChatSummary[]; find: string | null }) {
  return (
    <ul>
      {chats.map((chat) => (
        <HistoryItem key={chat.id} chat={chat} find={find} />
      ))}
    </ul>
  );
}

function HistorySkeleton() {
  return (
    <div aria-hidden="true" className="grid gap-2 px-2 pt-3">
      {[80, 62, 74].map((width) => (
        <span key={width} className="skeleton h-4" style={{ width: `${width}%` }} />
      ))}
    </div>
  );
}
