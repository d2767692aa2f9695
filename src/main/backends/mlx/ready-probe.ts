import { type Clock, pollUntil } from '../../ports/clock';
import { oneToken, toMlxCall, validate } from '../dialects/openai/validate';
import { withDeadline } from '../watch/deadline';
import type { MlxAddress, MlxClient } from './mlx-client';
import { mlxDown } from './mlx-failures';
import type { ModelFolder } from './mlx-options';
import type { KnownFacts } from './model-facts';

export interface ReadyProbeOptions {
  clock: Clock;
  client: MlxClient;
  facts: KnownFacts;
  /** Ms without a launcher line during a load after which the process counts as hung. */
  silenceMs: number;
  /** Ms that one step may take. */
  stepMs(): number;
  /** Null until it listens. */
  address(): MlxAddress | null;
  /** The model that it loads at its start; null = none. */
  preload(): ModelFolder | null;
  hasLoaded(): boolean;
}

const POLL_MS = 20;
/** The answer takes two or three steps: a piece of the prompt, its last token, the first answer token. */
const PROBE_STEPS = 3;

/** Is a starting server ready? Only a real answer proves it: `/health` is 200 while it loads and while it hangs. */
export class ReadyProbe {
  readonly #options: ReadyProbeOptions;
  #silentMs = 0;
  #count = 0;

  constructor(options: ReadyProbeOptions) {
    this.#options = options;
  }

  /** The launcher wrote a line, or a new process has started. */
  onLine(): void {
    this.#silentMs = 0;
  }

  /** Resolves after a one-token answer, or once it listens if it loads no model. Rejects on timeout or abort. */
  async run(signal: AbortSignal, onStage: (stage: 'loading' | 'probing') => void): Promise<void> {
    const { clock, client, address } = this.#options;
    await pollUntil(async () => address() !== null, POLL_MS, clock, signal);
    if (!(await client.healthy(this.#address(), signal))) throw mlxDown();
    const model = this.#options.preload();
    if (model === null) return;
    await pollUntil(async () => this.#hasLoaded(), POLL_MS, clock, signal);
    onStage('probing');
    await this.#answer(model, signal);
  }

  #address(): MlxAddress {
    const address = this.#options.address();
    if (address === null) throw mlxDown();
    return address;
  }

  /** Silence is counted in polls, so that the sleep of a machine does not count. */
  #hasLoaded(): boolean {
    const { hasLoaded, silenceMs } = this.#options;
    this.#silentMs += POLL_MS;
    if (this.#silentMs > silenceMs) throw mlxDown();
    return hasLoaded();
  }

  async #answer({ name, folder }: ModelFolder, signal: AbortSignal): Promise<void> {
    const { clock, client, facts, stepMs } = this.#options;
    const call = toMlxCall(validate(oneToken({ model: name }), facts.of(folder)), folder);
    const ask = async (limited: AbortSignal) => {
      for await (const chunk of client.complete(this.#address(), `probe.${this.#count++}`, call, limited)) {
        if (chunk.type === 'end') return;
      }
    };
    await withDeadline(clock, PROBE_STEPS * stepMs(), ask, signal);
  }
}
