import { DEFAULT_LIMITS } from '../../../src/main/supervisor/limits';
import { INITIAL, type Machine, type SupervisorEvent } from '../../../src/main/supervisor/machine';
import { transition } from '../../../src/main/supervisor/transitions';
import type { PublishedModel } from './published-macs';
import { type SimRequest, STEP_S, type Trace } from './trace';

/** The interpreter with its libraries. */
const PROCESS_BYTES = 0.35e9;
const BOOT_S = 1;
const WORKSPACE_BYTES = 0.15e9;
/** Freed buffers and the prompt cache that the server keeps, at most. */
const KEPT_BYTES = 1e9;
const SPEED = 0.6;
const PREFILL_FACTOR = 15;

export interface Work {
  request: SimRequest;
  /** Remaining tokens of prompt and answer. */
  prompt: number;
  answer: number;
}

/** A server that dies from lack of memory, run by the real supervisor transitions. */
export class FragileServer {
  readonly #trace: Trace;
  machine: Machine = INITIAL;
  #timerAt: number | null = null;
  #bootLeft = 0;
  #booting = false;
  /** A start has been decided and waits for memory. */
  asking = false;
  model: PublishedModel | null = null;
  loading: { model: PublishedModel; bytes: number } | null = null;
  #old: PublishedModel | null = null;
  work: Work | null = null;
  #kv = 0;
  #kept = 0;
  #lost: SimRequest | null = null;
  aborts = 0;
  lastUsedAt = 0;
  diedOfMemory = false;

  constructor(trace: Trace) {
    this.#trace = trace;
  }

  get alive(): boolean {
    return this.#booting || this.machine.state.name === 'ready' || this.loading !== null;
  }

  get ready(): boolean {
    return this.machine.state.name === 'ready';
  }

  get figures() {
    const weights =
      (this.model?.weightsBytes ?? 0) + (this.#old?.weightsBytes ?? 0) + (this.loading?.bytes ?? 0);
    const workspace = this.work ? WORKSPACE_BYTES + (this.model?.weightsBytes ?? 0) * 0.02 : 0;
    return { weights, kv: this.#kv, buffers: this.#kept + workspace, cpu: this.alive ? PROCESS_BYTES : 0 };
  }

  /** Bytes that the running load and answer will still take, the answer at its maximum length. */
  get coming(): number {
    const { loading, work } = this;
    const weights = loading ? loading.model.weightsBytes - loading.bytes : 0;
    const model = loading?.model ?? this.model;
    if (!work || !model) return weights;
    const { request } = work;
    const cache = (request.promptTokens + request.maxTokens) * model.kvBytesPerToken;
    return weights + Math.max(0, cache - this.#kv);
  }

  /** Seconds that an answer takes at its maximum length. */
  secondsFor({ promptTokens, maxTokens, model }: SimRequest): number {
    const rate = (this.#trace.mac.bandwidth * SPEED) / model.weightsBytes;
    return (promptTokens / PREFILL_FACTOR + maxTokens) / rate;
  }

  dispatch(event: SupervisorEvent, now: number): void {
    const step = transition(this.machine, event, DEFAULT_LIMITS);
    this.machine = step.machine;
    if (step.timer !== 'keep') this.#timerAt = step.timer === null ? null : now + step.timer / 1000;
    for (const effect of step.effects) {
      if (effect === 'look') this.dispatch({ type: 'located' }, now);
      if (effect === 'spawn') this.asking = true;
      if (effect === 'cancel-start') this.asking = false;
      if (effect === 'terminate' || effect === 'kill') {
        this.#clear();
        this.dispatch({ type: 'exited', cause: 'killed' }, now);
      }
    }
  }

  /** Starts the server; memory allows it. */
  boot(preload: PublishedModel | null, now: number): void {
    this.asking = false;
    this.#booting = true;
    this.#bootLeft = BOOT_S;
    this.dispatch({ type: 'stage', stage: 'spawning' }, now);
    if (preload) this.load(preload);
  }

  load(model: PublishedModel): void {
    this.loading = { model, bytes: 0 };
    this.#old = this.model;
    this.model = null;
  }

  begin(request: SimRequest): void {
    this.work = { request, prompt: request.promptTokens, answer: request.answerTokens };
    if (this.model !== request.model) this.load(request.model);
  }

  /** One step; returns the request that was answered in it. */
  step(now: number, exhausted: boolean, speed: number): SimRequest | null {
    if (this.#timerAt !== null && now >= this.#timerAt) {
      this.#timerAt = null;
      this.dispatch({ type: 'timer' }, now);
    }
    if (this.#booting && this.#booted() && !this.loading) {
      this.#booting = false;
      this.dispatch({ type: 'ready' }, now);
    }
    if (!this.loading && !this.work) return null;
    const tooLarge = (this.loading?.model.largestTensorBytes ?? 0) > this.#trace.mac.bufferBytes;
    if (exhausted || tooLarge) {
      this.#abort(now);
      return null;
    }
    return this.loading ? this.#stepLoad() : this.#stepWork(now, speed);
  }

  /** The request that was running when it died. */
  takeLost(): SimRequest | null {
    const lost = this.#lost;
    this.#lost = null;
    return lost;
  }
  #booted(): boolean {
    this.#bootLeft -= STEP_S;
    return this.#bootLeft <= 0;
  }

  #stepLoad(): null {
    const { loading } = this;
    if (!loading) return null;
    loading.bytes += this.#trace.mac.diskBytesPerS * STEP_S;
    if (loading.bytes < loading.model.weightsBytes) return null;
    this.model = loading.model;
    this.#old = null;
    this.loading = null;
    this.#kv = 0;
    return null;
  }

  #stepWork(now: number, speed: number): SimRequest | null {
    const { work, model } = this;
    if (!work || !model) return null;
    const rate = (this.#trace.mac.bandwidth * SPEED * speed) / model.weightsBytes;
    const prompt = Math.min(work.prompt, rate * PREFILL_FACTOR * STEP_S);
    work.prompt -= prompt;
    const answer = work.prompt > 0 ? 0 : Math.min(work.answer, rate * STEP_S);
    work.answer -= answer;
    const grown = (prompt + answer) * model.kvBytesPerToken;
    // Kept buffers are reused first.
    const reused = Math.min(this.#kept, grown);
    this.#kept -= reused;
    this.#kv += grown;
    if (work.answer > 0) return null;
    this.work = null;
    this.lastUsedAt = now;
    this.#kept = Math.min(KEPT_BYTES, this.#kept + this.#kv);
    this.#kv = 0;
    return work.request;
  }

  #abort(now: number): void {
    this.aborts += 1;
    this.diedOfMemory = true;
    this.#lost = this.work?.request ?? null;
    this.#clear();
    this.dispatch({ type: 'exited', cause: 'out_of_memory' }, now);
  }

  #clear(): void {
    this.model = null;
    this.loading = null;
    this.#old = null;
    this.work = null;
    this.#kv = 0;
    this.#kept = 0;
    this.#booting = false;
  }
}
