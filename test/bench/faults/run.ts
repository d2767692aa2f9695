import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { FEW_WORDS, WORD_COUNT } from '../../support/counting-words.ts';
import type { Figures } from '../report.ts';
import { auditData, type HeldAtRest, heldAtRest, heldBy, leftBetween } from './audit.ts';
import { type Effect, KINDS, type Kind } from './kinds.ts';
import { judgeAll, Ledger } from './ledger.ts';
import { schedule } from './schedule.ts';
import { figuresOf, tableOf } from './table.ts';
import { World } from './world.ts';

export interface FaultOptions {
  seed: number;
  /** Ends after this many minutes of faults, or … */
  minutes: number | null;
  /** … after this many faults. */
  count: number | null;
  /** Continues from the results in `out`. */
  resume: boolean;
  /** JSON lines; null = a file in the temporary folder. */
  out: string | null;
  /** Shipped backoff and stable time, each kind once. */
  shipped: boolean;
  /** Only kinds whose name contains this. */
  only: string | null;
  /** Only faults that take about a second, with short answers, in one app. */
  short?: boolean;
}

/** Killing the app has its own phase, because no process figure survives it. */
type Phase = { name: string; mode: Kind['mode']; kinds: Kind[]; share: number };
const KILLED = 'app killed and started';
const ALL_PHASES: readonly Phase[] = [
  {
    name: 'servers',
    mode: 'managed',
    kinds: KINDS.filter(({ mode, name }) => mode === 'managed' && name !== KILLED),
    share: 0.8,
  },
  { name: 'frames', mode: 'proxied', kinds: KINDS.filter(({ mode }) => mode === 'proxied'), share: 0.14 },
  { name: 'app', mode: 'managed', kinds: KINDS.filter(({ name }) => name === KILLED), share: 0.06 },
];
const SHORT_PHASE: Phase = {
  name: 'short',
  mode: 'proxied',
  kinds: KINDS.filter(({ short }) => short),
  share: 1,
};
const WARM_UP_MS = 10_000;

/** Applies one fault after the other to the app under load and reports the outcome of every request. */
export async function faults(options: FaultOptions): Promise<{ table: string[]; figures: Figures }> {
  const ledger = new Ledger(
    options.out ?? join(tmpdir(), `tandem-faults-${options.seed}.jsonl`),
    options.resume,
  );
  const total = options.count ?? (options.shipped ? KINDS.length : Number.POSITIVE_INFINITY);
  const minutes = options.minutes ?? Number.POSITIVE_INFINITY;
  for (const phase of options.short ? [SHORT_PHASE] : phasesWith(options)) {
    const count = options.shipped ? phase.kinds.length : Math.round(total * phase.share);
    await runPhase(phase, { count, ms: minutes * phase.share * 60_000 }, options, ledger);
  }
  const judged = judgeAll(ledger, (kind) => KINDS.find(({ name }) => name === kind)?.due ?? []);
  const names = KINDS.map(({ name }) => name);
  return { table: tableOf(ledger, judged, names), figures: figuresOf(ledger, judged) };
}

/** The phases that have kinds with that name; a single remaining phase gets the whole time. */
function phasesWith({ only, shipped }: FaultOptions): Phase[] {
  const phases = ALL_PHASES.map((phase) => ({
    ...phase,
    kinds: phase.kinds.filter(
      ({ name, shippedOnly }) => name.includes(only ?? '') && (shipped || !shippedOnly),
    ),
  })).filter(({ kinds }) => kinds.length > 0);
  return only === null ? phases : phases.map((phase) => ({ ...phase, share: 1 / phases.length }));
}

async function runPhase(
  phase: Phase,
  limit: { count: number; ms: number },
  { seed, shipped, short = false }: FaultOptions,
  ledger: Ledger,
): Promise<void> {
  const done = ledger.faults.filter(({ kind }) => phase.kinds.some(({ name }) => name === kind));
  if (done.length >= limit.count) return;
  const dir = await mkdtemp(join(tmpdir(), 'tandem-faults-'));
  const data = join(dir, 'data');
  const small = phase.kinds.some(({ name }) => name === 'disk full') && mountSmall(data);
  const world = await World.open({
    dir,
    mode: phase.mode,
    shipped,
    smallDisk: small,
    words: short ? FEW_WORDS : WORD_COUNT,
    onSent: (sent) => ledger.add(sent),
    onBack: (kind, seconds) => ledger.note('back_s', seconds, kind),
    onHandover: (ms) => ledger.note('handover_ms', ms),
  });
  try {
    if (!short) await pause(WARM_UP_MS);
    const before = await heldAtRest(world);
    const end = performance.now() + limit.ms;
    // In a long run, quick kinds come twice per round.
    const again = short || shipped ? [] : phase.kinds.filter(isQuick);
    const kinds = schedule([...phase.kinds, ...again], seed);
    // Skips the part of the schedule that the earlier run has done.
    for (let skip = done.length; skip > 0; skip -= 1) kinds.next();
    for (let count = done.length; count < limit.count && performance.now() < end; count += 1) {
      const { value: kind } = kinds.next();
      if (kind) await applyOne(kind, world, ledger, !short);
    }
    if (phase.name !== 'app') await noteGrowth(before, world, ledger);
  } finally {
    await world.load.stop();
    const { processes, code } = await world.close();
    ledger.note('leaked_processes', processes, `exit code ${code}`);
    ledger.note('presses', world.presses);
    await auditData(data, world.app.ready, ledger);
    if (small) execFileSync('umount', [data]);
    await rm(dir, { recursive: true, force: true });
  }
}

/** Records the growth of the host's resources at rest; a slow host gets time to settle. */
async function noteGrowth(before: HeldAtRest, world: World, ledger: Ledger): Promise<void> {
  let after = await heldAtRest(world);
  for (let turn = 0; turn < 20 && leaksOf(before, after).some(([, count]) => count > 0); turn += 1) {
    after = await heldAtRest(world);
  }
  for (const [name, count] of leaksOf(before, after)) ledger.note(name, count);
  if (before.process && after.process)
    ledger.note('host_growth_mb', (after.process.bytes - before.process.bytes) / 1e6);
}

function leaksOf(before: HeldAtRest, after: HeldAtRest): [name: string, count: number][] {
  const growth = (was = 0, is = 0, spare = 0) => Math.max(0, is - was - spare);
  return [
    ['leaked_handles', growth(before.process?.handles, after.process?.handles, SPARE.handles)],
    ['leaked_timers', growth(before.timers, after.timers, SPARE.timers)],
    ['leaked_listeners', growth(before.listeners, after.listeners)],
  ];
}

const isQuick = (kind: Kind) => kind.short === true;

/** Idle connections that are kept for the next request, and the timers that close them. */
const SPARE = { handles: 8, timers: 8 };

async function applyOne(kind: Kind, world: World, ledger: Ledger, log: boolean): Promise<void> {
  const index = ledger.faults.length;
  await world.up();
  if (world.options.shipped) {
    await world.forgetRestarts();
    await world.up();
  }
  const before = await heldBy(world);
  const at = Date.now();
  const begun = performance.now();
  world.load.begin(index);
  let effect: Effect;
  try {
    effect = await kind.apply(world);
  } catch (error) {
    effect = {
      seen: false,
      why: error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error),
    };
    if (/known killer|needs no disk/.test(effect.why)) ledger.note('rule_broken', 1, effect.why);
  }
  await kind.mend?.(world);
  await world.up();
  await world.load.end();
  const ms = performance.now() - begun;
  const after = await heldBy(world);
  const left = { processes: await world.orphans(), ...leftBetween(before, after) };
  const why = effect.seen ? null : effect.why;
  ledger.add({ type: 'fault', index, kind: kind.name, at, ms, effective: effect.seen, left, why });
  const load = loadavg()[0]?.toFixed(1);
  if (log)
    console.error(`#${index} ${kind.name}: ${why ?? 'seen'}, ${(ms / 1000).toFixed(1)} s, load ${load}`);
}

/** Mounts a small file system for the data folder, so that it can fill up; false without permission to mount. */
function mountSmall(folder: string): boolean {
  try {
    execFileSync('mkdir', ['-p', folder]);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=48m,mode=700', 'tmpfs', folder], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
