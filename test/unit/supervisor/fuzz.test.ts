import { describe, expect, test } from 'vitest';
import { silentLogger } from '../../../src/main/ports/logger';
import type { LaunchSpec } from '../../../src/main/ports/spawner';
import type { EvidenceCode } from '../../../src/main/supervisor/evidence-lines';
import { DEFAULT_LIMITS } from '../../../src/main/supervisor/limits';
import { Supervisor } from '../../../src/main/supervisor/supervisor';
import type { ExitCause } from '../../../src/shared/incidents';
import { FakeChild, FakeProcessTable } from '../../support/fake-processes';
import { RecordedLife } from '../../support/recorded-life';
import { seeded } from '../../support/seeded';

/** Total number of steps, over several lives. */
const STEPS = 100_000;
const LIVES = 20;

/** A clock with which a step of a test can stop between two promises: it never waits. */
class SteppedClock {
  #now = 0;
  readonly #timers = new Set<{ at: number; run: () => void }>();

  now = () => this.#now;
  wall = () => new Date(this.#now);
  every = () => () => {};

  get pending(): number {
    return this.#timers.size;
  }

  after = (ms: number, run: () => void) => {
    const timer = { at: this.#now + ms, run };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  };

  /** Runs the next timer that is due within `ms`, or lets that time pass. */
  pass(ms: number): void {
    const [next] = [...this.#timers].sort((left, right) => left.at - right.at);
    if (!next || next.at > this.#now + ms) {
      this.#now += ms;
      return;
    }
    this.#now = Math.max(this.#now, next.at);
    this.#timers.delete(next);
    next.run();
  }
}

/** A process that reports whether it is alive. */
class Child extends FakeChild {
  alive = true;
  override exit(code: number | null, signal: NodeJS.Signals | null = null): void {
    this.alive = false;
    super.exit(code, signal);
  }
}

interface Reading {
  named: ExitCause | null;
  lines: EvidenceCode[];
}

/** One supervisor in a world driven by a random generator. */
class World {
  readonly clock = new SteppedClock();
  readonly life = new RecordedLife();
  readonly children: Child[] = [];
  readonly supervisor: Supervisor;
  /** Callers that wait for the report of an exit, each with its own timer. */
  notices = 0;
  /** Whether the owner reports the last exit as recoverable. */
  recoverable = true;
  readonly #chance: () => number;
  /** Calls that wait for an answer: probes, launches, memory. */
  readonly #waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];
  #reading: Reading = { named: null, lines: [] };

  constructor(chance: () => number) {
    this.#chance = chance;
    this.supervisor = new Supervisor(
      {
        kind: 'mlx',
        limits: () => DEFAULT_LIMITS,
        launch: () => this.#later<LaunchSpec>({ command: 'server', args: [], env: {} }),
        onSpawn: () => {},
        probe: (_signal, onStage) => {
          if (this.#chance() < 0.5) onStage('probing');
          return this.#later(undefined);
        },
        readExit: () => this.#reading,
        mayRecover: () => {
          this.recoverable = this.#chance() > 0.02;
          return this.recoverable;
        },
        mayStart: (signal) => this.#later(undefined, signal),
      },
      {
        clock: this.clock,
        spawner: { spawn: () => this.#spawn() },
        table: new FakeProcessTable(),
        records: { put: async () => {}, remove: async () => {}, settled: async () => {} },
        logger: silentLogger,
        observer: this.life,
      },
    );
  }

  get living(): Child[] {
    return this.children.filter(({ alive }) => alive);
  }

  #spawn(): Child {
    const child = new Child(1000 + this.children.length);
    const roll = this.#chance();
    // A process stuck in the kernel ignores all signals.
    if (roll < 0.2) child.obeys = roll < 0.05 ? [] : ['SIGKILL'];
    this.children.push(child);
    return child;
  }

  #later<T>(value: T, signal?: AbortSignal): Promise<T> {
    if (this.#chance() < 0.3) return Promise.resolve(value);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve: () => resolve(value), reject });
      signal?.addEventListener('abort', () => reject(signal.reason));
    });
  }

  #settleOne(): void {
    const [one] = this.#waiting.splice(Math.floor(this.#chance() * this.#waiting.length), 1);
    if (this.#chance() < 0.75) one?.resolve();
    else one?.reject(new Error('it did not work'));
  }

  /** A process exits by itself, by an outside signal, or from a cause of its own. */
  #end(): void {
    const causes: Reading[] = [
      { named: null, lines: [] },
      { named: null, lines: ['metal_out_of_memory'] },
      { named: 'generation_dead', lines: [] },
      ...(this.#chance() < 0.05 ? [{ named: 'bad_model', lines: [] } satisfies Reading] : []),
    ];
    this.#reading = this.#pick(causes);
    const exits: [number | null, NodeJS.Signals | null][] = [
      [0, null],
      [1, null],
      [null, 'SIGABRT'],
      [null, 'SIGKILL'],
    ];
    const [code, signal] = this.#pick(exits);
    this.#pickLiving()?.exit(code, signal);
  }

  #pickLiving(): Child | undefined {
    return this.living[Math.floor(this.#chance() * this.living.length)];
  }

  #pick<T>(of: readonly T[]): T {
    return of[Math.floor(this.#chance() * of.length)] as T;
  }

  /** One random event; promises may or may not settle after it. */
  async step(): Promise<void> {
    const roll = this.#chance();
    if (roll < 0.25) this.clock.pass(this.#chance() * this.#pick([10, 1_000, 60_000, 900_000]));
    else if (roll < 0.45) this.#end();
    else if (roll < 0.65) this.#settleOne();
    else if (roll < 0.72) this.supervisor.reportHung();
    else if (roll < 0.82) void this.supervisor.start();
    else if (roll < 0.84) void this.supervisor.revive();
    else if (roll < 0.85) void this.supervisor.restart();
    else if (roll < 0.86) void this.supervisor[this.#chance() < 0.5 ? 'stop' : 'release']();
    else if (roll < 0.88) this.#loseConnection();
    else if (roll < 0.9) this.supervisor.answered();
    const turns = this.#pick([0, 0, 1, 2, 8]);
    for (let turn = 0; turn < turns; turn += 1) await null;
  }

  #loseConnection(): void {
    this.notices += 1;
    void this.supervisor.connectionLost().then(() => {
      this.notices -= 1;
    });
  }

  async stopForGood(): Promise<void> {
    let stopped = false;
    const stop = this.supervisor.stop().then(() => {
      stopped = true;
    });
    for (let turn = 0; turn < 200 && !stopped; turn += 1) {
      this.clock.pass(1_000);
      for (let each = 0; each < 8; each += 1) await null;
    }
    expect(stopped).toBe(true);
    await stop;
  }
}

/** The allowed successors of each moment; any other order cannot have happened. */
const FOLLOWS: Readonly<Record<string, readonly string[]>> = {
  ready: ['started', 'breaker_half_open'],
  stalled: ['ready', 'breaker_closed'],
  restart_planned: ['died'],
};

describe('a supervisor with random events', () => {
  test(`keeps its rules for ${STEPS} steps`, async () => {
    const chance = seeded(20_261_121);
    const seen = new Set<string>();
    let openings = 0;
    for (let life = 0; life < LIVES; life += 1) {
      const world = new World(chance);
      let previous = world.supervisor.view();
      let told = 0;
      for (let step = 0; step < STEPS / LIVES; step += 1) {
        await world.step();
        const view = world.supervisor.view();
        seen.add(view.state);
        // Never two processes, and none forgotten: a living one is the current one, or was given up after KILL.
        const others = world.living.filter(({ pid }) => pid !== view.pid);
        expect(others.filter(({ signals }) => !signals.includes('SIGKILL'))).toEqual([]);
        expect(view.restarts).toBeLessThanOrEqual(DEFAULT_LIMITS.maxRestarts);
        expect(world.clock.pending).toBeLessThanOrEqual(1 + world.notices);
        if (['stopped', 'absent', 'backoff', 'open'].includes(view.state)) expect(view.pid).toBeNull();
        if (view.state === 'open' && previous.state !== 'open') {
          openings += 1;
          const byRule =
            !world.recoverable ||
            view.restarts === DEFAULT_LIMITS.maxRestarts ||
            ['bad_model', 'bad_arguments', 'runtime_broken'].includes(view.lastError?.cause ?? '');
          expect(byRule).toBe(true);
        }
        for (; told < world.life.moments.length; told += 1) {
          const allowed = FOLLOWS[world.life.moments[told]?.type ?? ''];
          if (allowed) expect(allowed).toContain(world.life.moments[told - 1]?.type);
        }
        previous = view;
      }
      await world.stopForGood();
      expect(world.supervisor.view()).toMatchObject({ state: 'stopped', pid: null });
      expect(world.living.filter(({ signals }) => !signals.includes('SIGKILL'))).toEqual([]);
      const count = world.children.length;
      world.clock.pass(86_400_000);
      for (let turn = 0; turn < 20; turn += 1) await null;
      expect(world.children).toHaveLength(count);
      expect(world.clock.pending).toBe(0);
      expect(world.life.types.filter((type) => type === 'died')).toHaveLength(world.life.deaths.length);
    }
    expect([...seen].sort()).toEqual(
      ['absent', 'backoff', 'hung', 'open', 'ready', 'starting', 'stopped', 'stopping'].sort(),
    );
    expect(openings).toBeGreaterThan(20);
  });
});
