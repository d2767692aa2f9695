import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Scheduler } from '../../../src/main/queue/scheduler';
import { PRIORITIES, type Priority } from '../../../src/shared/domain';
import { seeded } from '../../support/seeded';
import { ReferenceLine, type Waiter } from './reference-line';

type Event =
  | { kind: 'arrive'; priority: Priority; client: number; model: number }
  /** The slot held longest becomes free. */
  | { kind: 'free' }
  /** One waiting request, chosen by index modulo the count, leaves. */
  | { kind: 'leave'; index: number }
  | { kind: 'slots'; count: number };

const events = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('arrive' as const),
        priority: fc.constantFrom(...PRIORITIES),
        client: fc.nat(3),
        model: fc.nat(2),
      }),
    },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('free' as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('leave' as const), index: fc.nat(1000) }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('slots' as const), count: fc.integer({ min: 1, max: 3 }) }),
    },
  ),
  { maxLength: 300 },
);

interface Known extends Waiter {
  /** Requests of its client and priority that waited when it arrived. */
  ahead: number;
  /** The most clients that waited with its priority at the same time, itself included, while it waited. */
  clients: number;
  /** Grants to others while it waited. */
  passes: number;
}

/** A scheduler with one backend, and a record of each request. */
class Bench {
  readonly scheduler = new Scheduler({ mlx: 1, ollama: 1 });
  readonly waiting = new Map<string, Known>();
  readonly held: string[] = [];
  readonly granted: Known[] = [];
  readonly left: string[] = [];
  slots = 1;
  #count = 0;

  apply(event: Event): string[] {
    switch (event.kind) {
      case 'arrive':
        return this.arrive(event.priority, `c${event.client}`, `m${event.model}`);
      case 'free':
        return this.free();
      case 'leave': {
        const gone = [...this.waiting.keys()][event.index % Math.max(1, this.waiting.size)];
        if (gone !== undefined) this.leave(gone);
        return [];
      }
      case 'slots':
        this.slots = event.count;
        return this.#note(
          this.scheduler.handle({ type: 'capacity', at: 0, backend: 'mlx', slots: event.count }),
        );
    }
  }

  arrive(priority: Priority, client: string, model: string): string[] {
    this.#count += 1;
    const id = `r${this.#count}`;
    const alike = [...this.waiting.values()].filter((other) => other.priority === priority);
    const ahead = alike.filter((other) => other.client === client).length;
    this.waiting.set(id, { id, client, model, priority, ahead, clients: 1, passes: 0 });
    const clients = new Set(alike.map((other) => other.client)).add(client).size;
    for (const known of this.waiting.values()) {
      if (known.priority === priority) known.clients = Math.max(known.clients, clients);
    }
    const event = {
      type: 'wait',
      at: 0,
      id,
      backend: 'mlx',
      priority,
      client,
      model,
      estimateMs: 1,
      loadMs: 0,
    } as const;
    return this.#note(this.scheduler.handle(event));
  }

  free(): string[] {
    const id = this.held.shift();
    return id === undefined ? [] : this.#note(this.scheduler.handle({ type: 'free', at: 0, id }));
  }

  leave(id: string): void {
    this.waiting.delete(id);
    this.left.push(id);
    this.scheduler.handle({ type: 'leave', at: 0, id });
  }

  drain(): void {
    while (this.held.length > 0) this.free();
  }

  #note(effects: ReturnType<Scheduler['handle']>): string[] {
    for (const { id } of effects) {
      const known = this.waiting.get(id);
      if (!known) throw new Error(`${id} was granted, but does not wait`);
      this.waiting.delete(id);
      this.granted.push(known);
      this.held.push(id);
      for (const other of this.waiting.values()) other.passes += 1;
    }
    return effects.map((effect) => effect.id);
  }
}

/** The maximum number of grants to others before a request is served, as stated in the README of the queue. */
function bound({ priority, clients, ahead }: Known): number {
  const turns = clients * (ahead + 1);
  if (priority === 'high') return turns - 1 + Math.ceil(turns / 4);
  return (priority === 'medium' ? 50 : 125) * turns - 1;
}

function run(list: readonly Event[]): Bench {
  const bench = new Bench();
  for (const event of list) bench.apply(event);
  return bench;
}

describe('Scheduler in random runs', () => {
  it('grants each request at most once, none that left, and never more than the number of slots', () => {
    fc.assert(
      fc.property(events, (list) => {
        const bench = new Bench();
        for (const event of list) {
          const before = bench.held.length;
          bench.apply(event);
          expect(bench.held.length).toBeLessThanOrEqual(Math.max(before, bench.slots));
          // No request waits while a slot is free.
          if (bench.waiting.size > 0) expect(bench.held.length).toBeGreaterThanOrEqual(bench.slots);
          expect(bench.scheduler.held('mlx')).toBe(bench.held.length);
          expect(bench.scheduler.waiting('mlx', 0).length).toBe(bench.waiting.size);
        }
        bench.drain();
        const ends = [...bench.granted.map(({ id }) => id), ...bench.left];
        expect(bench.waiting.size).toBe(0);
        expect(new Set(ends).size).toBe(ends.length);
        expect(ends.length).toBe(list.filter((event) => event.kind === 'arrive').length);
      }),
    );
  });

  it('serves requests of one client, model and priority in order', () => {
    fc.assert(
      fc.property(events, (list) => {
        const bench = run(list);
        bench.drain();
        const last = new Map<string, number>();
        for (const { id, client, model, priority } of bench.granted) {
          const key = `${client} ${model} ${priority}`;
          expect(Number(id.slice(1))).toBeGreaterThan(last.get(key) ?? 0);
          last.set(key, Number(id.slice(1)));
        }
      }),
    );
  });

  it('keeps every request within its bound', () => {
    fc.assert(
      fc.property(events, (list) => {
        const bench = run(list);
        for (const known of [...bench.granted, ...bench.waiting.values()]) {
          expect(known.passes).toBeLessThanOrEqual(bound(known));
        }
      }),
    );
  });

  it('delays no high request for a batch', () => {
    fc.assert(
      fc.property(events, (list) => {
        const priorities = (bench: Bench) => {
          bench.drain();
          return bench.granted.map(({ priority }) => priority);
        };
        const unbatched = list.map((event) => (event.kind === 'arrive' ? { ...event, model: 0 } : event));
        const stay = (all: readonly Event[]) => all.filter((event) => event.kind !== 'leave');
        expect(priorities(run(stay(list)))).toEqual(priorities(run(stay(unbatched))));
      }),
    );
  });

  it('reports the order in which it then serves', () => {
    fc.assert(
      fc.property(events, (list) => {
        const bench = run(list);
        const told = bench.scheduler.waiting('mlx', 0).map(({ id }) => id);
        const before = bench.granted.length;
        bench.drain();
        expect(bench.granted.slice(before).map(({ id }) => id)).toEqual(told);
      }),
    );
  });

  it('gives clients that wait all the time equal shares, up to nine requests that a batch may cost', () => {
    const models = fc.array(fc.nat(2), { minLength: 40, maxLength: 40 });
    fc.assert(
      fc.property(models, models, models, fc.boolean(), (x, y, z, oneModel) => {
        const bench = new Bench();
        bench.arrive('medium', 'first', 'none');
        for (const [client, list] of Object.entries({ x, y, z })) {
          for (const model of list) bench.arrive('medium', client, oneModel ? 'm' : `m${model}`);
        }
        const between = { x: 0, y: 0 };
        for (let turn = 0; turn < 40; turn += 1) {
          const [id] = bench.free();
          const client = bench.granted.find((known) => known.id === id)?.client;
          if (client === 'x') Object.assign(between, { x: between.x + 1, y: 0 });
          if (client === 'y') Object.assign(between, { x: 0, y: between.y + 1 });
          expect(Math.max(between.x, between.y)).toBeLessThanOrEqual(oneModel ? 1 : 9);
        }
      }),
    );
  });
});

describe('Scheduler with the worst crowd', () => {
  /** Keeps all other lines full, so that only its bound lets a request through. */
  function passesIn(priority: Priority, otherClients: number): number {
    const bench = new Bench();
    const others = Array.from({ length: otherClients }, (_, n) => `o${n}`);
    const crowd = () => {
      const names = [...bench.waiting.values()].map(({ client }) => client);
      const fill = (one: Priority, client: string) => {
        const missing = 10 - names.filter((name) => name === client).length;
        for (let n = 0; n < missing; n += 1) bench.arrive(one, client, client);
      };
      fill('high', 'h');
      fill('medium', 'm');
      for (const other of others) fill(priority, other);
    };
    crowd();
    bench.arrive(priority, 'victim', 'v');
    const victim = [...bench.waiting.values()].at(-1);
    for (let turn = 0; victim && bench.waiting.has(victim.id) && turn < 5000; turn += 1) {
      crowd();
      bench.free();
    }
    if (!victim || bench.waiting.has(victim.id)) return Number.POSITIVE_INFINITY;
    expect(victim.passes).toBeLessThanOrEqual(bound(victim));
    return victim.passes;
  }

  it.each([0, 1, 3])('serves low within 125 grants for each client that waits (%i others)', (others) => {
    const passes = passesIn('low', others);
    expect(passes).toBeLessThan(125 * (others + 1));
    // The bound is not trivial: the crowd does delay the request.
    expect(passes).toBeGreaterThanOrEqual(24 * (others + 1));
  });

  it.each([
    ['one name', () => 'flood'],
    ['1,000 names', (n: number) => `flood#${n}`],
  ])('serves a client between the 1,000 requests of another under %s, one for one', (_names, flood) => {
    const bench = new Bench();
    for (let n = 0; n < 1000; n += 1) bench.arrive('medium', flood(n), 'm');
    for (let n = 0; n < 5; n += 1) bench.arrive('medium', 'guest', 'm');
    for (let turn = 0; turn < 10; turn += 1) bench.free();
    const clients = bench.granted.slice(1).map(({ client }) => client);
    expect(clients.filter((client) => client === 'guest').length).toBe(5);
  });
});

describe('Scheduler and the reference rules', () => {
  it('grants the same in 100,000 random steps', () => {
    const random = seeded(7);
    const below = (limit: number) => Math.floor(random() * limit);
    const bench = new Bench();
    const reference = new ReferenceLine();
    let held = 0;
    let grants = 0;
    for (let step = 0; step < 100_000; step += 1) {
      // Crowds come and go, so that both long and empty lines occur.
      const coming = step % 4000 < 2000 ? 0.5 : 0.4;
      const choice = random();
      let granted: string[] = [];
      if (choice < coming) {
        const priority = PRIORITIES[below(3)] ?? 'low';
        const [client, model] = [`c${below(5)}`, `m${below(4)}`];
        reference.add({
          id: `r${grants + bench.left.length + bench.waiting.size + 1}`,
          client,
          model,
          priority,
        });
        granted = bench.arrive(priority, client, model);
      } else if (choice < 0.95) {
        if (held > 0) held -= 1;
        granted = bench.free();
      } else if (bench.waiting.size > 0) {
        const gone = [...bench.waiting.keys()][below(bench.waiting.size)] ?? '';
        reference.remove(gone);
        bench.leave(gone);
      }
      const expected: string[] = [];
      while (held < 1) {
        const next = reference.take();
        if (!next) break;
        held += 1;
        expected.push(next.id);
      }
      grants += granted.length;
      if (granted.join() !== expected.join()) expect({ step, granted }).toEqual({ step, granted: expected });
    }
    expect(grants).toBeGreaterThan(30_000);
    expect(bench.waiting.size).toBe(reference.waiting.length);
  });
});
