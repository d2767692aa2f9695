import { createWebBridge } from '../../src/renderer/bridge/web-bridge';
import type { Answer } from '../../src/shared/chat';
import type { CallInput, CallName, CallOutput, Push, Snapshot } from '../../src/shared/contract';
import type { Download } from '../../src/shared/models';
import { type App, PATIENCE_MS } from './app';

/** A page's view of a running app: the UI's own bridge over HTTP and WebSocket, without a browser. */
export interface WebClient {
  /** Rejects with the app's code and sentence when the call fails. */
  call<N extends CallName>(name: N, input: CallInput<N>): Promise<CallOutput<N>>;
  snapshot(): Promise<Snapshot>;
  /** The answer as stored or while it streams. */
  answer(chatId: string, answerId: string): Promise<Answer>;
  /** All pushes since the client was opened. */
  readonly pushes: Push[];
  /** Resolves with the first value that `pick` returns for a push; earlier pushes are included. */
  next<T>(pick: (push: Push) => T | undefined, what: string): Promise<T>;
  /** All pushes of one download, in order. */
  downloads(name: string): Download[];
  close(): void;
}

/** Opens the address that the app printed, as a browser would, and waits until pushes arrive. */
export async function openWebClient(app: App): Promise<WebClient> {
  const { origin, host, protocol } = new URL(app.ready.web);
  const kept = new Map<string, string>();
  const bridge = createWebBridge({
    location: { href: app.ready.web, host, protocol },
    history: { replaceState: () => {} },
    sessionStorage: {
      getItem: (key) => kept.get(key) ?? null,
      setItem: (key, value) => void kept.set(key, value),
      removeItem: (key) => void kept.delete(key),
    },
    fetch: (path, init) => fetch(new URL(String(path), origin), init),
    WebSocket,
  });
  const pushes: Push[] = [];
  const listeners = new Set<(push: Push) => void>();
  const connected = new Promise<void>((settle) => bridge.onConnection((up) => up && settle()));
  const close = bridge.subscribe((push) => {
    pushes.push(push);
    for (const listener of listeners) listener(push);
  });
  await connected;

  async function call<N extends CallName>(name: N, input: CallInput<N>): Promise<CallOutput<N>> {
    const envelope = await bridge.call(name, input);
    if (envelope.ok) return envelope.value;
    throw Object.assign(new Error(envelope.error.message), { code: envelope.error.code });
  }

  return {
    call,
    pushes,
    close,
    snapshot: async () => (await call('snapshot', {})).snapshot,
    async answer(chatId, answerId) {
      const { messages } = await call('chatOpen', { chatId });
      const found = messages.find(({ id }) => id === answerId);
      if (found?.role !== 'assistant') throw new Error(`no answer ${answerId} in chat ${chatId}`);
      return found;
    },
    next(pick, what) {
      return new Promise((settle, reject) => {
        const take = (push: Push) => {
          const value = pick(push);
          if (value === undefined) return false;
          clearTimeout(timer);
          listeners.delete(take);
          settle(value);
          return true;
        };
        const timer = setTimeout(() => {
          listeners.delete(take);
          reject(new Error(`${what}: not within ${PATIENCE_MS} ms\n${app.log()}`));
        }, PATIENCE_MS);
        if (!pushes.some(take)) listeners.add(take);
      });
    },
    downloads: (name) => pushes.flatMap((push) => downloadIn(push, name) ?? []),
  };
}

/** The download state in a push. */
export function downloadIn(push: Push, name: string): Download | undefined {
  if (push.name !== 'patch') return undefined;
  return push.payload.patch.downloads?.find((download) => download.name === name);
}
