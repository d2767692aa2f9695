import { FragileServer } from './fragile';
import { SimMac } from './mac';
import type { Policy, Seen, SimPromise, SimWish } from './policy';
import { Samplers } from './samplers';
import { SteadyServer } from './steady';
import { type SimRequest, STEP_S, TRACE_S, type Trace } from './trace';

export interface Outcome {
  aborts: number;
  /** Answered within the trace. */
  answers: number;
  tokens: number;
}

/** Maximum time that a request waits for memory before it goes elsewhere, seconds. */
const WAIT_S = 30;
/** Maximum time that a load waits for an answer that it would kill. */
const PROTECT_S = 120;

/** Seconds until a sample shows an action: a sample is taken within a second and arrives a second later. */
const SEEN_AFTER_S = 2;

interface Waiting {
  request: SimRequest;
  since: number;
  /** When memory was first requested. */
  asked: number;
}

/** One trace under one policy. */
export function runTrace(trace: Trace, policy: Policy): Outcome {
  const world = new World(trace, policy);
  for (let step = 0; step < TRACE_S / STEP_S; step += 1) world.step(step);
  return world.outcome;
}

class World {
  readonly #trace: Trace;
  readonly #policy: Policy;
  readonly #mac: SimMac;
  readonly #fragile: FragileServer;
  readonly #steady: SteadyServer;
  readonly #samplers: Samplers;
  readonly #waiting: Record<SimWish['server'], Waiting[]> = { fragile: [], steady: [] };
  readonly #promised: Record<SimWish['server'], SimPromise | null> = { fragile: null, steady: null };
  #arrived = 0;
  #lastSample = -1;
  /** After an eviction the next decision waits for a sample that shows it. */
  #evictedUntil = 0;
  #answers = 0;
  #tokens = 0;

  constructor(trace: Trace, policy: Policy) {
    this.#trace = trace;
    this.#policy = policy;
    this.#mac = new SimMac(trace.mac);
    this.#fragile = new FragileServer(trace);
    this.#steady = new SteadyServer(trace);
    this.#samplers = new Samplers(trace);
  }

  get outcome(): Outcome {
    return { aborts: this.#fragile.aborts, answers: this.#answers, tokens: this.#tokens };
  }

  step(index: number): void {
    const now = index * STEP_S;
    const { weights, kv, buffers, cpu } = this.#fragile.figures;
    const gpu = weights + kv + buffers + this.#steady.gpuBytes;
    this.#mac.step(this.#trace.apps[index] ?? 0, gpu, cpu + this.#steady.cpuBytes);
    this.#samplers.step(now, this.#mac, this.#fragile, this.#steady);
    this.#relieve(now);
    if (index === 0) this.#fragile.dispatch({ type: 'start' }, now);
    this.#arrive(now);
    this.#startFragile(now);
    this.#serveFragile(now);
    this.#serveSteady(now);
    this.#answered('fragile', this.#fragile.step(now, this.#mac.exhausted, this.#mac.speed));
    const lost = this.#fragile.takeLost();
    if (!this.#fragile.work) this.#promised.fragile = null;
    if (lost) this.#waiting.steady.unshift({ request: lost, since: now, asked: Number.POSITIVE_INFINITY });
    this.#answered('steady', this.#steady.step(now, this.#mac.speed));
  }

  #relieve(now: number): void {
    const sample = this.#samplers.latest(now);
    if (!sample || sample.at === this.#lastSample) return;
    this.#lastSample = sample.at;
    for (const name of this.#policy.onSample(this.#seen(now))) this.#steady.unload(name);
  }

  #arrive(now: number): void {
    const { requests } = this.#trace;
    for (; (requests[this.#arrived]?.at ?? Number.POSITIVE_INFINITY) <= now; this.#arrived += 1) {
      const request = requests[this.#arrived];
      if (!request) return;
      const server = request.first === 'fragile' && this.#fragile.ready ? 'fragile' : 'steady';
      this.#waiting[server].push({ request, since: now, asked: Number.POSITIVE_INFINITY });
    }
  }

  #startFragile(now: number): void {
    if (!this.#fragile.asking) return;
    const model = this.#trace.light;
    const back = this.#fragile.diedOfMemory;
    const ask = (purpose: 'preload' | 'restart') =>
      this.#policy.decide(
        { server: 'fragile', model, purpose, request: null, expectedS: null },
        this.#seen(now),
      );
    if (back && ask('restart').kind !== 'admit') return;
    this.#fragile.diedOfMemory = false;
    this.#fragile.boot(ask('preload').kind === 'admit' ? model : null, now);
  }

  #serveFragile(now: number): void {
    const queue = this.#waiting.fragile;
    if (!this.#fragile.ready) {
      // While it is down, all requests go to the other server.
      this.#waiting.steady.push(...queue.splice(0));
      return;
    }
    const first = queue[0];
    if (!first || this.#fragile.work || this.#fragile.loading || now < this.#evictedUntil) return;
    const { request } = first;
    const expectedS = this.#fragile.secondsFor(request) * (this.#trace.told.get(request.model.name) ?? 1);
    const common = { purpose: 'request', request, expectedS } as const;
    const wish: SimWish = { server: 'fragile', model: request.model, ...common };
    const verdict = this.#policy.decide(wish, this.#seen(now));
    if (verdict.kind === 'evict') {
      this.#evict(verdict.models, now);
      return;
    }
    const patient = verdict.kind === 'wait' && now - first.since < WAIT_S;
    if (patient) return;
    queue.shift();
    if (verdict.kind !== 'admit') {
      this.#waiting.steady.push({ request, since: now, asked: Number.POSITIVE_INFINITY });
      return;
    }
    this.#promise('fragile', request.model.name, verdict.promiseBytes, now);
    this.#fragile.begin(request);
  }

  #serveSteady(now: number): void {
    const first = this.#waiting.steady[0];
    if (!first || this.#steady.work || now < this.#evictedUntil) return;
    const { request } = first;
    first.asked = Math.min(first.asked, now);
    this.#promised.steady = null;
    const common = { purpose: 'request', request, expectedS: null } as const;
    const wish: SimWish = { server: 'steady', model: request.steadyModel, ...common };
    const verdict = this.#policy.decide(wish, this.#seen(now));
    if (verdict.kind === 'evict') {
      this.#evict(verdict.models, now);
      return;
    }
    if (verdict.kind !== 'admit' && now - first.asked < PROTECT_S) {
      // Memory is reserved for the request that waits until the other server has answered.
      const bytes = verdict.kind === 'wait' ? verdict.neededBytes : null;
      this.#promise('steady', request.steadyModel.name, bytes, now, false);
      return;
    }
    this.#waiting.steady.shift();
    this.#promise(
      'steady',
      request.steadyModel.name,
      verdict.kind === 'admit' ? verdict.promiseBytes : null,
      now,
    );
    this.#steady.begin(request, now);
  }

  #evict(models: readonly string[], now: number): void {
    for (const name of models) this.#steady.unload(name);
    this.#evictedUntil = now + SEEN_AFTER_S;
  }

  #answered(server: SimWish['server'], request: SimRequest | null): void {
    if (!request) return;
    this.#promised[server] = null;
    this.#answers += 1;
    this.#tokens += request.answerTokens;
  }

  #promise(server: SimWish['server'], model: string, bytes: number | null, now: number, begins = true): void {
    const sample = this.#samplers.latest(now);
    const heldBefore = sample && begins ? sample[server].processBytes : null;
    const usedBefore = sample && begins ? sample.usedBytes : null;
    const there = server === 'steady' ? sample?.steady.ready.has(model) : this.#fragile.model?.name === model;
    this.#promised[server] = { server, model, bytes, load: !there, since: now, heldBefore, usedBefore };
  }

  #seen(now: number): Seen {
    const { model, loading, work, alive } = this.#fragile;
    const busyWith = this.#steady.work?.request.steadyModel;
    return {
      now,
      totalBytes: this.#trace.mac.totalBytes,
      sample: this.#samplers.latest(now),
      fragile: { model, loading: loading?.model ?? null, busy: work !== null, alive },
      steady: this.#steady.residents.map((resident) => ({
        name: resident.model.name,
        busy: resident.model === busyWith,
        lastUsedAt: resident.lastUsedAt,
      })),
      promised: Object.values(this.#promised).filter((promise) => promise !== null),
    };
  }
}
