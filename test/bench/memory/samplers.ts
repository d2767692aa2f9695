import type { FragileServer } from './fragile';
import type { SimMac } from './mac';
import type { SteadyServer } from './steady';
import type { Trace } from './trace';

/** The samplers' output: exact figures of the machine, the servers' sizes as reported, all one second old. */
export interface Sample {
  at: number;
  usedBytes: number;
  /** For the oracle only. */
  exact: Exact;
  fragile: { processBytes: number; weights: number; kv: number; buffers: number };
  steady: { processBytes: number; sizes: ReadonlyMap<string, number>; ready: ReadonlySet<string> };
}

/** Figures that no sampler reports: bytes wired by each server's models, and remaining bytes of loads and answers. */
export interface Exact {
  fragileGpu: number;
  fragileComing: number;
  steadyGpu: number;
  steadyComing: number;
}

const EVERY_S = 1;
const LATE_S = 1;

export class Samplers {
  readonly #trace: Trace;
  #pending: Sample[] = [];
  #next = 0;
  #last: Sample | null = null;

  constructor(trace: Trace) {
    this.#trace = trace;
  }

  step(now: number, mac: SimMac, fragile: FragileServer, steady: SteadyServer): void {
    if (now < this.#next) return;
    this.#next = now + EVERY_S;
    this.#pending.push(this.#take(now, mac, fragile, steady));
  }

  /** The newest sample that has arrived by now. */
  latest(now: number): Sample | null {
    while (this.#pending[0] && this.#pending[0].at + LATE_S <= now) {
      this.#last = this.#pending.shift() ?? null;
    }
    return this.#last;
  }

  #take(at: number, mac: SimMac, fragile: FragileServer, steady: SteadyServer): Sample {
    const error = (name: string) => this.#trace.told.get(name) ?? 1;
    const { weights, kv, buffers, cpu } = fragile.figures;
    const off = error(fragile.model?.name ?? '');
    const sizes = new Map(
      steady.residents.map(({ model, loaded }) => [model.name, loaded * error(model.name)] as const),
    );
    const steadyBytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
    return {
      at,
      usedBytes: mac.usedBytes,
      exact: {
        fragileGpu: weights + kv + buffers,
        fragileComing: fragile.coming,
        steadyGpu: steady.gpuBytes,
        steadyComing: steady.residents.reduce((sum, { loaded, bytes }) => sum + bytes - loaded, 0),
      },
      fragile: {
        processBytes: (weights + kv + buffers) * off + cpu,
        weights: weights * off,
        kv: kv * off,
        buffers: buffers * off,
      },
      steady: {
        processBytes: steadyBytes,
        sizes,
        ready: new Set(
          steady.residents.filter(({ loaded, bytes }) => loaded >= bytes).map(({ model }) => model.name),
        ),
      },
    };
  }
}
