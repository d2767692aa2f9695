import { setTimeout as pause } from 'node:timers/promises';
import type { Effect } from './kinds.ts';
import { isAlive, type Target, type World } from './world.ts';

/** Polls until the probe is true; false on timeout. */
export async function holds(probe: () => Promise<boolean> | boolean, limitMs: number): Promise<boolean> {
  const end = performance.now() + limitMs;
  while (!(await probe())) {
    if (performance.now() > end) return false;
    await pause(25);
  }
  return true;
}

/** Timeout for an effect: later it will not occur, even on a slow machine. */
export const EFFECT_MS = 300_000;

/** Resolves when the process has exited. */
export const gone = (pid: number, limitMs = EFFECT_MS) => holds(() => !isAlive(pid), limitMs);

/** Kills a busy server and waits for its exit. */
export async function killBusy(world: World, target: Target): Promise<Effect> {
  const pid = await world.busy(target);
  process.kill(pid, 'SIGKILL');
  return (await gone(pid)) ? { seen: true } : { seen: false, why: 'it lived on' };
}
