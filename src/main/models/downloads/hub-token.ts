import type { Secrets } from '../../ports/secrets';

const NAME = 'hub-token';
/** Variables that the hub's client reads, the newer one first. */
const VARIABLES = ['HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN'];

/** The token for gated repositories: the environment's, else the one in the secret store. */
export class HubToken {
  readonly #secrets: Secrets;
  readonly #fromEnvironment: boolean;

  constructor(secrets: Secrets, env: Readonly<Record<string, string | undefined>>) {
    this.#secrets = secrets;
    this.#fromEnvironment = VARIABLES.some((name) => Boolean(env[name]?.trim()));
  }

  async state(): Promise<{ stored: boolean; fromEnvironment: boolean }> {
    return { stored: (await this.#secrets.get(NAME)) !== null, fromEnvironment: this.#fromEnvironment };
  }

  /** Null removes it. Rejects like `Secrets.set`. */
  async set(token: string | null): Promise<void> {
    if (token === null) await this.#secrets.delete(NAME);
    else await this.#secrets.set(NAME, token.trim());
  }

  /** The token to pass on; null = none is stored, or the environment's takes precedence. */
  async current(): Promise<string | null> {
    return this.#fromEnvironment ? null : this.#secrets.get(NAME);
  }
}
