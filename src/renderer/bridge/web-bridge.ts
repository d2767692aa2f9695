import type { Bridge, CallInput, CallName, CallOutput, Envelope, Push } from '../../shared/contract';
import { type PageWindow, WebSession } from './web-session';

/** Delays between attempts to reconnect the WebSocket, ms; the last one repeats. */
const BACKOFF_MS = [250, 500, 1_000, 2_000, 5_000, 10_000];

/**
 * The bridge over HTTP: calls use `fetch`, pushes use a WebSocket that opens with the first subscriber and reconnects
 * automatically. After `onConnection(true)` a subscriber must fetch the snapshot again, since it may have missed
 * pushes.
 */
export function createWebBridge(page: PageWindow): Bridge {
  const session = new WebSession(page);
  const pushes = new PushLine(page, session);
  return {
    call: (name, input) => call(session, name, input),
    subscribe: (listener) => pushes.subscribe(listener),
    onConnection: (listener) => pushes.onConnection(listener),
  };
}

async function call<N extends CallName>(
  session: WebSession,
  name: N,
  input: CallInput<N>,
): Promise<Envelope<CallOutput<N>>> {
  try {
    const answer = await session.post(`/api/call/${name}`, input);
    return (await answer.json()) as Envelope<CallOutput<N>>;
  } catch {
    const message = 'Tandem does not answer. Start it again, then try once more.';
    return { ok: false, error: { code: 'disconnected', message, details: {} } };
  }
}

class PushLine {
  readonly #page: PageWindow;
  readonly #session: WebSession;
  readonly #listeners = new Set<(push: Push) => void>();
  readonly #watchers = new Set<(connected: boolean) => void>();
  #socket: WebSocket | null = null;
  #attempt = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #opening = false;
  /** Null until the first attempt has ended. */
  #connected: boolean | null = null;

  constructor(page: PageWindow, session: WebSession) {
    this.#page = page;
    this.#session = session;
  }

  subscribe(listener: (push: Push) => void): () => void {
    this.#listeners.add(listener);
    void this.#open();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#close();
    };
  }

  onConnection(listener: (connected: boolean) => void): () => void {
    this.#watchers.add(listener);
    return () => void this.#watchers.delete(listener);
  }

  async #open(): Promise<void> {
    if (this.#socket || this.#opening || this.#timer) return;
    this.#opening = true;
    const ticket = await this.#ticket().finally(() => {
      this.#opening = false;
    });
    if (this.#listeners.size === 0) return;
    if (ticket === null) return this.#retry();
    const { protocol, host } = this.#page.location;
    const scheme = protocol === 'https:' ? 'wss' : 'ws';
    const socket = new this.#page.WebSocket(`${scheme}://${host}/api/push?ticket=${ticket}`);
    this.#socket = socket;
    socket.onopen = () => {
      this.#attempt = 0;
      this.#tell(true);
    };
    socket.onmessage = (event) => this.#deliver(String(event.data));
    socket.onclose = () => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      this.#retry();
    };
  }

  async #ticket(): Promise<string | null> {
    try {
      const answer = await this.#session.post('/api/ticket', {});
      return answer.ok ? ((await answer.json()) as { ticket: string }).ticket : null;
    } catch {
      return null;
    }
  }

  #retry(): void {
    this.#tell(false);
    const wait = BACKOFF_MS[Math.min(this.#attempt, BACKOFF_MS.length - 1)];
    this.#attempt += 1;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.#open();
    }, wait);
  }

  #close(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  #deliver(data: string): void {
    const push = JSON.parse(data) as Push;
    for (const listener of [...this.#listeners]) listener(push);
  }

  #tell(connected: boolean): void {
    if (this.#connected === connected) return;
    this.#connected = connected;
    for (const watcher of [...this.#watchers]) watcher(connected);
  }
}
