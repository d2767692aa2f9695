/** The session is stored here, so that it survives a reload of this tab; other tabs cannot read it. */
const STORAGE_KEY = 'tandem.session';

/** The parts of a browser window that the web bridge touches. */
export interface PageWindow {
  location: Pick<Location, 'href' | 'host' | 'protocol'>;
  history: Pick<History, 'replaceState'>;
  sessionStorage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;
  fetch: typeof fetch;
  WebSocket: typeof WebSocket;
}

/**
 * Authenticates the page. The token is removed from the address at once, kept in memory only, and exchanged for a
 * short-lived session; when a session is rejected, the token is exchanged again.
 */
export class WebSession {
  readonly #page: PageWindow;
  #token: string | null;
  #session: string | null;
  #exchange: Promise<boolean> | null = null;

  constructor(page: PageWindow) {
    this.#page = page;
    this.#token = takeToken(page);
    this.#session = page.sessionStorage.getItem(STORAGE_KEY);
    // A token in the address replaces the session that an older address left in this tab.
    if (this.#token !== null) this.#forget();
  }

  /**
   * `POST` with the session. A 401 causes one new exchange and one retry; the caller gets the last response. Rejects
   * only when the connection is down.
   */
  async post(path: string, body: unknown): Promise<Response> {
    if (this.#session === null) await this.#renew();
    const first = await this.#send(path, body);
    if (first.status !== 401) return first;
    this.#forget();
    return (await this.#renew()) ? this.#send(path, body) : first;
  }

  /** Joins an exchange that is already running. */
  #renew(): Promise<boolean> {
    this.#exchange ??= this.#exchangeToken().finally(() => {
      this.#exchange = null;
    });
    return this.#exchange;
  }

  async #exchangeToken(): Promise<boolean> {
    if (this.#session !== null) return true;
    if (this.#token === null) return false;
    const answer = await this.#page.fetch('/api/session', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ token: this.#token }),
    });
    if (!answer.ok) return false;
    const { session, token } = (await answer.json()) as { session: string; token?: string };
    this.#session = session;
    // The token in the address was valid only once.
    if (token !== undefined) this.#token = token;
    this.#page.sessionStorage.setItem(STORAGE_KEY, session);
    return true;
  }

  #send(path: string, body: unknown): Promise<Response> {
    return this.#page.fetch(path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${this.#session ?? ''}` },
      body: JSON.stringify(body),
    });
  }

  #forget(): void {
    this.#session = null;
    this.#page.sessionStorage.removeItem(STORAGE_KEY);
  }
}

/** Reads the token and removes it from the address bar and the history. */
function takeToken({ location, history }: PageWindow): string | null {
  const url = new URL(location.href);
  const token = url.searchParams.get('token');
  if (token === null) return null;
  url.searchParams.delete('token');
  history.replaceState(null, '', `${url.pathname}${url.search}${url.hash}`);
  return token;
}
