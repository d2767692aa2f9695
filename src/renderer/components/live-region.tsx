import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { backendName } from '../i18n/backend-name';
import { useFormat } from '../i18n/use-format';
import { activeAnswerId, useChat } from '../stores/chat-store';
import { useCore, usePart } from '../stores/core-store';
import { stateWords } from './backend-words';
import { useDownloads, useTitles } from './models/use-downloads';

/** Announces changes: a server's state, the end of an answer or a download, the connection to the core. Never single tokens. */
export function LiveRegion() {
  const { t } = useTranslation();
  const format = useFormat();
  const [words, setWords] = useState('');
  const backends = usePart('backends');
  const connection = useCore((state) => state.connection);
  const active = useChat(activeAnswerId);
  const before = useRef(new Map<string, string>());

  useEffect(() => {
    for (const status of backends ?? []) {
      const old = before.current.get(status.id);
      before.current.set(status.id, status.state);
      // Ready and busy alternate with every message; the answer itself is announced instead.
      const routine = status.state === 'busy' || (old === 'busy' && status.state === 'ready');
      if (old === undefined || old === status.state || routine) continue;
      const state = stateWords(status, t, format, Date.now());
      setWords(t('state.announce', { backend: backendName(status.id, t), state }));
    }
  }, [backends, t, format]);

  useEffect(() => {
    const old = before.current.get('connection');
    before.current.set('connection', connection);
    if (connection === 'lost') setWords(t('strip.lost'));
    else if (connection === 'refused') setWords(t('errors.unauthorized'));
    else if (old === 'lost') setWords(t('strip.back'));
  }, [connection, t]);

  const downloads = useDownloads();
  const titleOf = useTitles();
  useEffect(() => {
    for (const download of downloads) {
      const key = `download ${download.backend}/${download.name}`;
      const old = before.current.get(key);
      before.current.set(key, download.state);
      if (old === undefined || old === download.state) continue;
      const title = titleOf(download);
      if (download.state === 'done') setWords(t('downloads.doneOf', { title }));
      else if (download.state === 'failed') setWords(t('downloads.failedOf', { title }));
    }
  }, [downloads, titleOf, t]);

  const watched = useRef<string | null>(null);
  useEffect(() => {
    if (active !== null) watched.current = active;
    else if (watched.current !== null) {
      const ended = useChat.getState().messages.find((message) => message.id === watched.current);
      watched.current = null;
      if (ended?.role !== 'assistant') return;
      if (ended.status === 'failed') setWords(t('answer.failed'));
      else if (ended.status === 'stopped') setWords(t('answer.stopped'));
      else setWords(t('answer.complete', { backend: backendName(ended.meta.source ?? 'app', t) }));
    }
  }, [active, t]);

  return (
    <div role="status" aria-live="polite" className="sr-only">
      {words}
    </div>
  );
}
