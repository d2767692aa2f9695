import { beforeEach, describe, expect, it } from 'vitest';
import { MLX_BEHAVIOUR } from '../../../src/main/backends/mlx/mlx-backend';
import { OLLAMA_BEHAVIOUR } from '../../../src/main/backends/ollama/ollama-options';
import { type Asked, MemoryGate } from '../../../src/main/memory/memory-gate';
import { UNKNOWN_NEEDS } from '../../../src/main/memory/model-needs';
import type { LoadedModel, MemoryHolder } from '../../../src/main/memory/types';
import { Emitter } from '../../../src/main/ports/emitter';
import { silentLogger } from '../../../src/main/ports/logger';
import type { MemoryStatus } from '../../../src/shared/status';
import { FakeClock, settle } from '../../support/fake-clock';
import { figures, GB, machine, model } from './figures';

/** A Mac of 32 GB whose memory a test controls; memory that a server unloads is freed. */
class World {
  readonly clock = new FakeClock();
  readonly samples = new Emitter<MemoryStatus | null>();
  totalGb = 32;
  usedGb = 10;
  readonly loaded: Record<'mlx' | 'ollama', LoadedModel[]> = { mlx: [], ollama: [] };
  readonly processGb: Record<'mlx' | 'ollama', number | null> = { mlx: null, ollama: null };
  readonly unloaded: string[] = [];
  here = true;
  weightsGb: number | null = 2;
  /** Samples fail. */
  blind = false;
  #status: MemoryStatus | null = null;

  readonly gate = new MemoryGate({
    machine: {
      status: () => this.#status,
      sampleNow: async () => this.#sample(),
      onSample: this.samples.subscribe,
    },
    holders: new Map([
      ['mlx', this.#holder('mlx')],
      ['ollama', this.#holder('ollama')],
    ]),
    needs: () => this.#needs(),
    isHere: () => this.here,
    clock: this.clock,
    logger: silentLogger,
  });

  async sampled(usedGb: number): Promise<void> {
    this.usedGb = usedGb;
    this.#sample();
    await settle();
  }

  /** A model that has been idle for a minute, or for the given seconds. */
  idle(name: string, gigabytes: number, seconds = 60): LoadedModel {
    return model(name, gigabytes, { lastUsedAt: this.clock.now() - seconds * 1000 });
  }

  promised(): (number | null)[] {
    const entries = this.gate.ledger()?.entries ?? [];
    return entries.filter(({ kind }) => kind === 'promised').map(({ bytes }) => bytes);
  }

  #sample(): MemoryStatus | null {
    const at = this.clock.wall().getTime();
    // As in the monitor: the last figures stay, with their time.
    const failed = this.#status && { ...this.#status, pressure: 'unknown' as const };
    const { mlx, ollama } = this.processGb;
    const held = {
      backendBytes: { mlx: mlx === null ? null : mlx * GB, ollama: ollama === null ? null : ollama * GB },
    };
    this.#status = this.blind ? failed : machine(this.totalGb, this.usedGb, { at, ...held });
    this.samples.emit(this.#status);
    return this.#status;
  }

  #holder(backend: 'mlx' | 'ollama'): MemoryHolder {
    return {
      behaviour: backend === 'mlx' ? MLX_BEHAVIOUR : OLLAMA_BEHAVIOUR,
      figures: () => figures(this.processGb[backend]),
      loaded: () => this.loaded[backend],
      unload: async (name) => {
        const at = this.loaded[backend].findIndex((one) => one.name === name);
        const [gone] = this.loaded[backend].splice(at, 1);
        this.usedGb -= (gone?.size.bytes ?? 0) / GB;
        this.unloaded.push(name);
      },
    };
  }

  #needs() {
    const needs = () => ({ ...UNKNOWN_NEEDS, weightsBytes: this.weightsGb && this.weightsGb * GB });
    return { of: async () => needs(), known: needs };
  }
}

function asked(more: Partial<Asked> = {}): Asked {
  const common = { backend: 'mlx', model: 'small', purpose: 'request', tokens: 1000, expectedS: 2 } as const;
  return { ...common, mayMove: true, overruled: false, ...more };
}

const never = new AbortController().signal;
let world: World;
beforeEach(() => {
  world = new World();
});

describe('memory gate', () => {
  it('keeps a promise for admitted work until it has ended', async () => {
    const grant = await world.gate.admit(asked(), never);
    expect(world.promised()).toEqual([expect.any(Number)]);
    grant.release();
    grant.release();
    expect(world.promised()).toEqual([]);
  });

  it('counts one promise before the next decision', async () => {
    world.weightsGb = 8;
    await world.gate.admit(asked(), never);
    // Two of them and a reserve do not fit into the 24 GB of this GPU.
    await expect(world.gate.admit(asked({ model: 'other' }), never)).rejects.toMatchObject({
      code: 'memory_critical',
    });
  });

  it('rejects as a decision, with rule, reason and bytes', async () => {
    world.weightsGb = 30;
    await expect(world.gate.admit(asked(), never)).rejects.toMatchObject({
      code: 'memory_critical',
      message: expect.stringContaining('on purpose'),
      details: { rule: 'working_set', reason: 'memory:working-set', backend: 'mlx', freeBytes: 24 * GB },
    });
    expect(world.gate.ledger()?.lastDecision).toMatchObject({ kind: 'refuse', rule: 'working_set' });
  });

  it('admits what the user overrules, once', async () => {
    world.weightsGb = 30;
    await world.gate.admit(asked({ overruled: true }), never);
    await expect(world.gate.admit(asked(), never)).rejects.toMatchObject({ code: 'memory_critical' });
  });

  it('makes the other server unload, admits, and gives the reason to the evicted model', async () => {
    world.usedGb = 29;
    world.loaded.ollama.push(world.idle('old', 12));
    await world.gate.admit(asked(), never);
    expect(world.unloaded).toEqual(['old']);
    const back = await world.gate.admit(asked({ backend: 'ollama', model: 'old' }), never);
    expect(back.reasons).toEqual(['memory:evicted']);
    back.release();
    const again = await world.gate.admit(asked({ backend: 'ollama', model: 'old' }), never);
    expect(again.reasons).toEqual([]);
  });

  it('waits when no other server could answer, and continues as soon as there is room', async () => {
    world.usedGb = 30;
    let done = false;
    let waits = 0;
    const onWait = () => {
      waits += 1;
    };
    const waiting = world.gate.admit(asked({ mayMove: false }), never, onWait).then(() => (done = true));
    await world.clock.advance(5000);
    expect([done, waits]).toEqual([false, 1]);
    world.usedGb = 10;
    await world.clock.advance(1000);
    await waiting;
    expect([done, waits]).toEqual([true, 1]);
  });

  it('reports a wait for as long as it lasts', async () => {
    const last = () => world.gate.ledger()?.lastDecision;
    world.usedGb = 30;
    const waiting = world.gate.admit(asked({ mayMove: false }), never);
    await world.clock.advance(2000);
    expect(last()).toMatchObject({ kind: 'wait', rule: 'critical', model: 'small' });
    world.usedGb = 10;
    await world.clock.advance(1000);
    await waiting;
    expect(last()).toBeNull();
  });

  it('rejects after half a minute of waiting', async () => {
    world.usedGb = 30;
    const waiting = world.gate.admit(asked({ mayMove: false }), never);
    const refused = expect(waiting).rejects.toMatchObject({ code: 'memory_critical', retryAfterS: 30 });
    await world.clock.advance(31_000);
    await refused;
    expect(world.gate.ledger()?.lastDecision).toMatchObject({ kind: 'refuse', rule: 'critical' });
    expect(world.clock.pending).toBe(0);
  });

  it('ends the wait with the request', async () => {
    world.usedGb = 30;
    const leaving = new AbortController();
    const waiting = world.gate.admit(asked({ mayMove: false }), leaving.signal);
    const ended = expect(waiting).rejects.toThrow('left');
    await settle();
    leaving.abort(new Error('left'));
    await ended;
    expect(world.gate.ledger()?.lastDecision).toBeNull();
    expect(world.clock.pending).toBe(0);
  });

  it('reserves memory for a load that waits for an answer it would kill', async () => {
    world.usedGb = 20;
    world.weightsGb = 12;
    world.loaded.mlx.push(model('small', 2, { active: 1 }));
    const load = world.gate.admit(asked({ backend: 'ollama', model: 'heavy' }), never);
    await world.clock.advance(1000);
    world.weightsGb = 2;
    // A further answer is sent elsewhere, so that the load does not wait forever.
    await expect(world.gate.admit(asked(), never)).rejects.toMatchObject({ code: 'memory_critical' });
    world.loaded.mlx = [];
    await world.clock.advance(1000);
    await load;
  });

  it('does not decide about a server on another machine', async () => {
    world.here = false;
    world.usedGb = 31.9;
    await world.gate.admit(asked(), never);
    expect(world.promised()).toEqual([]);
  });

  it('evicts automatically while memory is critical, but not what is in use', async () => {
    world.loaded.ollama.push(world.idle('idle', 2), model('used', 20, { active: 1 }));
    await world.sampled(30.6);
    expect(world.unloaded).toEqual(['idle']);
  });

  it('stays critical until memory has really been freed', async () => {
    await world.sampled(30.5);
    await world.sampled(30);
    expect(world.gate.pressure()).toBe('critical');
    expect(world.gate.ledger()?.pressure).toBe('critical');
    await world.sampled(20);
    expect(world.gate.pressure()).toBe('normal');
  });
});

describe('a load on a Mac with plenty of memory', () => {
  beforeEach(async () => {
    world.totalGb = 64;
    world.loaded.mlx.push(model('small', 2));
    world.processGb.mlx = 3;
    world.processGb.ollama = 0;
    await world.sampled(24);
    world.weightsGb = 20;
    await world.gate.admit(asked({ backend: 'ollama', model: 'coding', tokens: 0 }), never);
    world.weightsGb = 2;
  });

  it.each([
    ['before the server has reported it', 0],
    ['when the server reports it after the sample', 20],
  ])('rejects no answer of a loaded model: %s', async (_name, told) => {
    await world.clock.advance(5000);
    await world.sampled(44);
    world.processGb.ollama = told;
    const grant = await world.gate.admit(asked(), never);
    expect(world.promised()[0]).toBeLessThan(4 * GB);
    grant.release();
  });
});

describe('two requests for one model that is not loaded', () => {
  const heavy = asked({ backend: 'ollama', model: 'heavy', tokens: 0 });
  const sum = () => world.promised().reduce<number>((total, bytes) => total + (bytes ?? 0), 0);

  it.each([['mlx'], ['ollama']] as const)('are promised its weights once: %s', async (backend) => {
    world.weightsGb = 10;
    await world.gate.admit(asked({ backend }), never);
    await world.gate.admit(asked({ backend }), never);
    expect(world.promised()).toHaveLength(2);
    // 10 GB of weights with an error margin of a tenth, twice a cache of 0.8 GB and a workspace of 0.4 GB.
    expect(sum()).toBeLessThan(14 * GB);
  });

  it('keep for the second what the first has not used when it is aborted', async () => {
    world.weightsGb = 10;
    world.processGb.mlx = 1;
    await world.sampled(10);
    const first = await world.gate.admit(asked(), never);
    const second = await world.gate.admit(asked(), never);
    const both = sum();
    world.processGb.mlx = 5;
    first.release();
    expect(world.promised()).toEqual([both - 4 * GB]);
    second.release();
    expect(world.promised()).toEqual([]);
  });

  it('do not count the growth of the load as the cache of the second', async () => {
    world.weightsGb = 10;
    world.processGb.mlx = 1;
    await world.sampled(10);
    await world.gate.admit(asked(), never);
    await world.gate.admit(asked(), never);
    const [, cache] = world.promised();
    world.processGb.mlx = 11;
    world.loaded.mlx.push(model('small', 10));
    expect(world.promised()[1]).toBe(cache);
  });

  it('wait together for an answer that the load would kill, and continue together', async () => {
    world.weightsGb = 12;
    world.loaded.mlx.push(model('small', 2, { active: 1 }));
    await world.sampled(20);
    const done: string[] = [];
    for (const name of ['first', 'second']) void world.gate.admit(heavy, never).then(() => done.push(name));
    await world.clock.advance(3000);
    expect(done).toEqual([]);
    expect(world.promised()).toHaveLength(1);
    world.usedGb = 13;
    await world.clock.advance(2000);
    expect(done.sort()).toEqual(['first', 'second']);
    expect(sum()).toBeLessThan(14 * GB);
  });
});

describe('other programs that grow while a model is loaded', () => {
  const coding = asked({ backend: 'ollama', model: 'coding', tokens: 0 });

  /** MLX loads 6 GB (6.8 promised) at 10 of 32 GB; a second later it has half a GB, and a browser has 4. */
  async function loading(): Promise<{ release(): void }> {
    world.processGb.mlx = 1;
    await world.sampled(10);
    world.weightsGb = 6;
    const grant = await world.gate.admit(asked(), never);
    world.loaded.mlx.push(model('small', null, { ready: false }));
    await world.clock.advance(1000);
    world.processGb.mlx = 1.5;
    await world.sampled(14.5);
    return grant;
  }

  it('leave the load all its remaining memory', async () => {
    await loading();
    expect(world.promised()[0]).toBeGreaterThan(6 * GB);
    // 29.8 GB may be used; with the load 21.3 will be, so 10 more do not fit.
    world.weightsGb = 9;
    let done = false;
    const leaving = new AbortController();
    const waiting = world.gate.admit(coding, leaving.signal).then(() => (done = true));
    await world.clock.advance(3000);
    expect(done).toBe(false);
    expect(world.gate.ledger()?.lastDecision).toMatchObject({ kind: 'wait', rule: 'protect' });
    leaving.abort(new Error('gone'));
    await expect(waiting).rejects.toThrow('gone');
  });

  it.each([
    ['while the load goes on', false],
    ['when its work has been given up', true],
  ])('are detected as growth: %s', async (_name, givenUp) => {
    const grant = await loading();
    world.loaded.mlx.splice(0);
    world.loaded.mlx.push(model('small', 0.5));
    if (givenUp) grant.release();
    await world.clock.advance(1000);
    await world.sampled(18.5);
    // At 4 GB per second, 16 GB less are left.
    world.weightsGb = 0.1;
    await expect(world.gate.admit(asked(), never)).rejects.toMatchObject({ code: 'memory_critical' });
  });
});

describe('a rise of memory', () => {
  beforeEach(async () => {
    world.loaded.mlx.push(model('small', 2));
    await world.sampled(28.4);
  });

  it('is not derived from noise between two samples of one moment', async () => {
    await world.clock.advance(100);
    await world.sampled(28.45);
    await world.gate.admit(asked(), never);
  });

  it('is measured over a second, however many samples it contains', async () => {
    await world.clock.advance(500);
    await world.sampled(28.5);
    await world.clock.advance(500);
    await world.sampled(28.8);
    await expect(world.gate.admit(asked(), never)).rejects.toMatchObject({ code: 'memory_critical' });
  });
});

describe('a clock change', () => {
  const HOUR = 3_600_000;

  it.each([-HOUR, HOUR])('by %d ms makes nothing older or younger', async (jump) => {
    world.loaded.ollama.push(world.idle('idle', 2), world.idle('recent', 20, 10));
    world.clock.jump(jump);
    await world.sampled(30.6);
    expect(world.unloaded).toEqual(['idle']);
  });

  it('leaves an old sample old', async () => {
    await world.sampled(10);
    await world.clock.advance(5000);
    world.clock.jump(-HOUR);
    world.usedGb = 30;
    await expect(world.gate.admit(asked(), never)).rejects.toMatchObject({ code: 'memory_critical' });
  });
});

describe('failing samples', () => {
  it('admit everything once the last figures are outdated', async () => {
    await world.sampled(30.6);
    world.blind = true;
    await world.clock.advance(14_000);
    await expect(world.gate.admit(asked(), never)).rejects.toMatchObject({ code: 'memory_critical' });
    expect(world.gate.pressure()).toBe('critical');
    await world.clock.advance(2000);
    expect(world.gate.pressure()).toBe('unknown');
    expect(world.gate.ledger()).toBeNull();
    const grant = await world.gate.admit(asked(), never);
    grant.release();
  });

  it('end a wait', async () => {
    world.usedGb = 30;
    const waiting = world.gate.admit(asked({ mayMove: false }), never);
    await settle();
    world.blind = true;
    await world.clock.advance(17_000);
    await waiting;
  });

  it('end with the first successful sample', async () => {
    await world.sampled(30.6);
    world.blind = true;
    await world.clock.advance(60_000);
    world.blind = false;
    await world.sampled(30);
    expect(world.gate.pressure()).toBe('critical');
  });
});

describe('a server that restarts', () => {
  it('waits until its processes are gone and its model fits', async () => {
    let back = false;
    world.usedGb = 30;
    world.processGb.mlx = 3;
    const waiting = world.gate.back('mlx', 'small', never).then(() => (back = true));
    await world.clock.advance(3000);
    world.usedGb = 10;
    await world.clock.advance(3000);
    expect(back).toBe(false);
    world.processGb.mlx = null;
    await world.clock.advance(1000);
    await waiting;
    expect(back).toBe(true);
  });

  it('waits neither for a model that could never fit, nor when it did not die from lack of memory', async () => {
    world.weightsGb = 30;
    await world.gate.back('mlx', 'small', never);
    world.usedGb = 29;
    world.weightsGb = 2;
    await world.gate.back('mlx', null, never);
  });
});

describe('a preload', () => {
  it('is skipped above 70 %, and reported', async () => {
    expect(await world.gate.mayPreload('mlx', 'small')).toBe(true);
    await world.sampled(22.5);
    expect(await world.gate.mayPreload('mlx', 'small')).toBe(false);
    expect(world.gate.ledger()?.lastDecision).toMatchObject({ kind: 'refuse', rule: 'preload' });
  });

  it('is aborted once above 75 %', async () => {
    await world.gate.mayPreload('mlx', 'small');
    expect(world.gate.mustStopPreload('mlx')).toBe(false);
    await world.sampled(24.1);
    expect(world.gate.mustStopPreload('mlx')).toBe(true);
    expect(world.gate.mustStopPreload('mlx')).toBe(false);
  });
});
