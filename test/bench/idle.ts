import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { startApp } from '../support/app.ts';
import type { Figures } from './report.ts';

/** Ten idle minutes; `TANDEM_BENCH_IDLE_S` shortens a trial run. */
const SECONDS = Number(process.env.TANDEM_BENCH_IDLE_S ?? 600);
const SETTLE_S = 10;
/** Clock ticks per second of /proc (USER_HZ, 100 on every Linux that Node supports). */
const TICKS = 100;

/** The idle headless host: resident memory, CPU share, and wake-ups. Linux only (`/proc`). */
export async function idle(): Promise<Figures> {
  const app = await startApp({ readyMs: 900_000 });
  try {
    const pid = app.process.pid;
    if (!pid) throw new Error('no process');
    await delay(SETTLE_S * 1000);
    const before = await processorTicks(pid);
    const wakeBefore = await wakeUps(pid);
    let peak = 0;
    const rounds = Math.max(1, Math.floor(SECONDS / 10));
    for (let round = 0; round < rounds; round++) {
      await delay((SECONDS / rounds) * 1000);
      peak = Math.max(peak, await residentBytes(pid));
    }
    const share = ((await processorTicks(pid)) - before) / TICKS / SECONDS;
    const wakes = ((await wakeUps(pid)) - wakeBefore) / SECONDS;
    return {
      'idle.resident_max': { value: peak / 1e6, unit: 'MB', goal: 120 },
      'idle.cpu': { value: share * 100, unit: '%', goal: 1 },
      'idle.wake_ups_main_thread': { value: wakes, unit: '1/s', goal: null },
      'idle.duration': { value: SECONDS, unit: 's', goal: null },
    };
  } finally {
    await app.stop();
    await app.remove();
  }
}

async function processorTicks(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

async function residentBytes(pid: number): Promise<number> {
  const match = /VmRSS:\s+(\d+) kB/.exec(await readFile(`/proc/${pid}/status`, 'utf8'));
  return Number(match?.[1]) * 1024;
}

async function wakeUps(pid: number): Promise<number> {
  const match = /\bvoluntary_ctxt_switches:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8'));
  return Number(match?.[1]);
}
