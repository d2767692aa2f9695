/** What the shell uses of a newer Node and what Electron 22 lacks, as far as the shell uses it. */

class SmallResponse {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly #body: Uint8Array;

  constructor(body: Uint8Array | null, init: { status?: number; headers: Record<string, string> }) {
    this.status = init.status ?? 200;
    this.headers = new Map(Object.entries(init.headers));
    this.#body = body ?? new Uint8Array();
  }

  async arrayBuffer(): Promise<Uint8Array> {
    return this.#body;
  }
}

globalThis.Response ??= SmallResponse as never;

URL.parse ??= (address, base) => {
  try {
    return new URL(address, base);
  } catch {
    return null;
  }
};
