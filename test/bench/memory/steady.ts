import { HEAVY_CONTEXT_TOKENS, type PublishedModel } from './published-macs';
import { type SimRequest, STEP_S, type Trace } from './trace';

const SERVER_BYTES = 0.06e9;
const GRAPH_BYTES = 0.4e9;
const KEEP_ALIVE_S = 300;
const SPEED = 0.5;
const PREFILL_FACTOR = 15;
/** Relative to the speed of a model that is entirely in the GPU's memory. */
const OFFLOADED_SPEED = 0.2;
/** Its scheduler requires predicted use below this share of free memory. */
const FIT_SHARE = 0.8;

interface Resident {
  model: PublishedModel;
  /** Total size: weights, context and graph. */
  bytes: number;
  /** Bytes read so far. */
  loaded: number;
  offloaded: boolean;
  lastUsedAt: number;
}

/** A server that falls back to slower memory, evicts its own models and knows nothing of the other server. */
export class SteadyServer {
  readonly #trace: Trace;
  readonly residents: Resident[] = [];
  work: { request: SimRequest; prompt: number; answer: number } | null = null;

  constructor(trace: Trace) {
    this.#trace = trace;
  }

  get gpuBytes(): number {
    return this.residents.reduce((sum, { offloaded, loaded }) => sum + (offloaded ? 0 : loaded), 0);
  }

  get cpuBytes(): number {
    return this.residents.reduce(
      (sum, { offloaded, loaded }) => sum + (offloaded ? loaded : 0),
      SERVER_BYTES,
    );
  }

  begin(request: SimRequest, now: number): void {
    this.work = { request, prompt: request.promptTokens, answer: request.answerTokens };
    const { steadyModel } = request;
    if (this.residents.some(({ model }) => model === steadyModel)) return;
    const bytes = sizeOf(steadyModel);
    const room = () => (this.#trace.mac.workingSetBytes - this.gpuBytes) * FIT_SHARE;
    while (bytes > room() && this.residents.length > 0) this.residents.shift();
    const offloaded = bytes > this.#trace.mac.workingSetBytes - this.gpuBytes;
    this.residents.push({ model: steadyModel, bytes, loaded: 0, offloaded, lastUsedAt: now });
  }

  unload(name: string): void {
    const at = this.residents.findIndex(({ model }) => model.name === name && this.#busyWith() !== model);
    if (at >= 0) this.residents.splice(at, 1);
  }

  step(now: number, speed: number): SimRequest | null {
    const busy = this.#busyWith();
    for (const resident of [...this.residents]) {
      if (resident.model !== busy && now - resident.lastUsedAt > KEEP_ALIVE_S)
        this.unload(resident.model.name);
    }
    const resident = this.residents.find(({ model }) => model === busy);
    if (!this.work || !resident) return null;
    if (resident.loaded < resident.bytes) {
      resident.loaded = Math.min(resident.bytes, resident.loaded + this.#trace.mac.diskBytesPerS * STEP_S);
      return null;
    }
    return this.#stepWork(resident, now, speed);
  }

  #stepWork(resident: Resident, now: number, speed: number): SimRequest | null {
    const { work } = this;
    if (!work) return null;
    const slow = resident.offloaded ? OFFLOADED_SPEED : 1;
    const rate = (this.#trace.mac.bandwidth * SPEED * speed * slow) / resident.model.weightsBytes;
    const prompt = Math.min(work.prompt, rate * PREFILL_FACTOR * STEP_S);
    work.prompt -= prompt;
    if (work.prompt > 0) return null;
    work.answer -= Math.min(work.answer, rate * STEP_S);
    if (work.answer > 0) return null;
    this.work = null;
    resident.lastUsedAt = now;
    return work.request;
  }

  #busyWith(): PublishedModel | null {
    return this.work?.request.steadyModel ?? null;
  }
}

export function sizeOf({ weightsBytes, kvBytesPerToken, contextTokens }: PublishedModel): number {
  return weightsBytes + (contextTokens ?? HEAVY_CONTEXT_TOKENS) * kvBytesPerToken + GRAPH_BYTES;
}
