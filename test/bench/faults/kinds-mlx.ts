import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { signalAll } from '../../support/processes.ts';
import { type Effect, type Kind, unless } from './kinds.ts';
import { EFFECT_MS, gone, holds, killBusy } from './waits.ts';
import { DEADLY, type World } from './world.ts';

/** All shipped backoffs: 5 s doubled up to 300 s, ten times, and half-open probes after that. */
const BREAKER_MS = 45 * 60_000;

/** Sends a word to the fault module while MLX computes; the death of MLX is the effect. */
function dies(name: string, word: string): Kind {
  return {
    name,
    mode: 'managed',
    async apply(world) {
      const pid = await world.busy('mlx');
      if (!(await world.tellMlx(word))) return { seen: false, why: 'nobody listened' };
      return unless(await gone(pid), 'it lived on');
    },
  };
}

/**
 * Outages of one host, with stock mlx-lm 0.31.3 (github.com/ml-explore/mlx-lm/issues/1505): the generation thread ended with
 * "Resource limit (499000) exceeded", and `/health` went on to answer 200 until a person restarted the server.
 */
const PUBLISHED_OUTAGES = ['52 h 34 min', '6 h 01 min', '26 h 41 min'];

/** The same end of the thread, unnoticed inside the process too: only the lack of progress shows it. */
function outage(published: string): Kind {
  const name = `mlx outage of ${published}`;
  return {
    name,
    mode: 'managed',
    async apply(world) {
      const pid = await world.busy('mlx');
      const before = await world.fired();
      if (!(await world.tellMlx('thread-gone'))) return { seen: false, why: 'nobody listened' };
      if (!(await holds(async () => (await world.fired()) > before, EFFECT_MS))) {
        return { seen: false, why: 'the thread lived on, or /health was not 200' };
      }
      const since = performance.now();
      const isBack = async () => {
        const { state, pid: now } = await world.backend('mlx');
        return now !== pid && ['ready', 'busy'].includes(state);
      };
      const back = await holds(isBack, EFFECT_MS);
      if (back) world.options.onBack(name, (performance.now() - since) / 1000);
      return unless(back, 'MLX did not come back');
    },
  };
}

/** Breaks an answer of MLX while it is sent; the fault module logs when it has happened. */
function frame(name: string, word: string): Kind {
  return {
    name,
    mode: 'managed',
    short: word !== 'flood' && word !== 'headers-only',
    async apply(world) {
      await world.busy('mlx');
      const before = await world.fired();
      if (!(await world.tellMlx(word))) return { seen: false, why: 'nobody listened' };
      return unless(await holds(async () => (await world.fired()) > before, EFFECT_MS), 'no answer met it');
    },
  };
}

/** MLX dies, and the next starts fail too. */
function badStarts(name: string, ...words: string[]): Kind {
  return {
    name,
    mode: 'managed',
    async apply(world) {
      await world.nextStarts(...words);
      const before = await world.fired();
      const killed = await killBusy(world, 'mlx');
      if (!killed.seen) return killed;
      const all = async () => (await world.fired()) >= before + words.length;
      return unless(await holds(all, EFFECT_MS), 'it was not started so often');
    },
  };
}

const stolen: { thief: Server | null } = { thief: null };

async function stealPort(world: World): Promise<Effect> {
  const { pid, url } = await world.backend('mlx');
  await world.busy('mlx');
  signalAll([Number(pid)], 'SIGKILL');
  await gone(Number(pid));
  const thief = createServer();
  stolen.thief = thief;
  const bound = await new Promise<boolean>((settle) => {
    thief.once('error', () => settle(false));
    thief.listen(Number(new URL(String(url)).port), '127.0.0.1', () => settle(true));
  });
  return unless(bound, 'the port was taken by somebody else');
}

/** Ten restarts at the shipped pace open the breaker; then a start succeeds and the breaker closes automatically. */
const throughBreaker: Kind = {
  name: 'mlx into the breaker and out',
  mode: 'managed',
  shippedOnly: true,
  async apply(world) {
    await world.nextStarts(...Array.from({ length: 10 }, () => 'exit-at-start'));
    const killed = await killBusy(world, 'mlx');
    if (!killed.seen) return killed;
    const is = (...states: string[]) =>
      holds(async () => states.includes((await world.backend('mlx')).state), BREAKER_MS);
    return unless((await is('open')) && (await is('ready', 'busy')), 'the breaker did not open and close');
  },
};

export const MLX_KINDS: readonly Kind[] = [
  { name: 'mlx killed', mode: 'managed', short: true, apply: (world) => killBusy(world, 'mlx') },
  dies('mlx out of GPU memory', 'abort'),
  {
    name: 'mlx stopped (hang)',
    mode: 'managed',
    async apply(world) {
      const pid = await world.busy('mlx');
      process.kill(pid, 'SIGSTOP');
      return unless(await gone(pid), 'nobody ended it');
    },
  },
  dies('mlx generation thread dead', 'generation-dead'),
  dies('mlx healthy but silent', 'silent'),
  ...PUBLISHED_OUTAGES.map(outage),
  {
    name: 'mlx port stolen',
    mode: 'managed',
    apply: stealPort,
    async mend() {
      await new Promise((settle) => stolen.thief?.close(settle) ?? settle(null));
      stolen.thief = null;
    },
  },
  badStarts('mlx slow start', 'slow-start'),
  badStarts('mlx crash on load', 'crash-on-load'),
  badStarts('mlx crash loop', 'exit-at-start', 'exit-at-start'),
  throughBreaker,
  frame('mlx stderr flood', 'flood'),
  frame('mlx truncated frame', 'truncated'),
  frame('mlx malformed JSON', 'malformed'),
  frame('mlx half a character', 'half-character'),
  frame('mlx headers then nothing', 'headers-only'),
  frame('mlx reset before first byte', 'reset-before'),
  frame('mlx reset after first byte', 'reset-after'),
  {
    name: 'poison request',
    mode: 'managed',
    due: ['poison'],
    async apply(world) {
      const { pid } = await world.backend('mlx');
      await world.busy('mlx');
      const text = `${DEADLY} ${randomUUID()}`;
      const ask = { category: 'fast', stream: false, text } as const;
      const first = world.load.ask(ask);
      const died = await gone(Number(pid));
      await first;
      await pause(100);
      // Retries of the deadly request, by any client, must not kill another MLX process.
      await world.up();
      const next = await world.backend('mlx');
      await Promise.all([world.load.ask(ask), world.load.ask(ask)]);
      const after = await world.backend('mlx');
      if (after.pid !== next.pid) throw new Error('a known killer reached MLX again');
      return unless(died, 'MLX lived on');
    },
  },
];
