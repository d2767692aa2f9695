import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { QueueStats } from '../../src/shared/status.ts';
import type { Held } from '../support/metered-app.ts';
import type { Figures } from './report.ts';
import { type Sums, Traffic } from './soak/traffic.ts';
import { type Bytes, fileBytes, startSoakApp } from './soak/world.ts';

export const REQUESTS = 200_000;
/** The host is measured after each fifth; nothing may grow after the first. */
const STEPS = 5;
const MOST_GROWTH_PERCENT = 5;
/** `tandem.log` with two earlier ones of 5 MB each; Ollama's log with one, and what it writes until the next check. */
const LOGS_MOST = 30e6;
const MB = 1e6;

interface Rest {
  held: Held;
  bytes: Bytes;
}

/**
 * Many requests of all kinds through the built host to both scripted servers: its resources at rest at the end,
 * compared with those after the first fifth. A few bytes per request are V8's: compiled code and its dependency lists.
 * With V8's optimising compilers off, the heap does not grow.
 */
export async function soak(requests = REQUESTS): Promise<Figures> {
  const folder = await mkdtemp(join(tmpdir(), 'tandem-soak-'));
  const app = await startSoakApp(folder);
  try {
    const traffic = await Traffic.open(app);
    const started = performance.now();
    const rests: Rest[] = [];
    for (let step = 1; step <= STEPS; step += 1) {
      await traffic.run((requests * step) / STEPS);
      const rest = { held: await app.measure(), bytes: await fileBytes(app.dataDir) };
      rests.push(rest);
      console.error(`${traffic.sums.sent} sent, ${seconds(started)} s: ${JSON.stringify(rest)}`);
    }
    const [early, late] = [rests[0], rests.at(-1)];
    if (!early || !late) throw new Error('nothing was sent');
    traffic.close();
    for (const words of traffic.sums.wrong.slice(0, 10)) console.error(words);
    const stats = (await (await fetch(`${app.ready.gateway}/queue/stats`)).json()) as QueueStats;
    return {
      'soak.requests': { value: traffic.sums.sent, unit: '', goal: null },
      'soak.duration': { value: seconds(started), unit: 's', goal: null },
      'soak.wrong': { value: traffic.sums.wrong.length, unit: 'answers', goal: 0, correct: true },
      'soak.unbalanced': {
        value: unbalanced(stats, traffic.sums),
        unit: 'requests',
        goal: 0,
        correct: true,
      },
      ...growth(early, late),
    };
  } finally {
    await app.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

const seconds = (started: number) => Math.round((performance.now() - started) / 1000);

function growth(early: Rest, late: Rest): Figures {
  const pairs: [name: string, early: number, late: number, unit: string][] = [
    ['heap', early.held.heap / MB, late.held.heap / MB, 'MB'],
    ['external', early.held.external / MB, late.held.external / MB, 'MB'],
    ['resident', early.held.rss / MB, late.held.rss / MB, 'MB'],
    ['resources', early.held.resources, late.held.resources, ''],
    ['files_open', early.held.files ?? 0, late.held.files ?? 0, ''],
    ['database', early.bytes.database / MB, late.bytes.database / MB, 'MB'],
    ['other_files', early.bytes.others / MB, late.bytes.others / MB, 'MB'],
  ];
  const figures: Figures = {};
  for (const [name, before, after, unit] of pairs) {
    figures[`soak.${name}_early`] = { value: before, unit, goal: null };
    figures[`soak.${name}_end`] = { value: after, unit, goal: before * (1 + MOST_GROWTH_PERCENT / 100) };
  }
  // Logs rotate when they are full, so their bytes go up and down.
  figures['soak.logs_end'] = { value: late.bytes.logs / MB, unit: 'MB', goal: LOGS_MOST / MB };
  const grown = Object.values(figures).filter(({ value, goal }) => goal !== null && value > goal);
  figures['soak.grown'] = { value: grown.length, unit: 'kinds', goal: 0, correct: true };
  return figures;
}

/** How far the queue's counters differ from what was sent and from each other. */
function unbalanced(stats: QueueStats, { completions, byKind }: Sums): number {
  const ended = stats.done + stats.failed + stats.cancelled;
  // A client may have disconnected before the host has read its request.
  const unread = Math.max(0, completions - stats.received - (byKind.cancel ?? 0));
  return (
    unread +
    Math.max(0, stats.received - completions) +
    Math.abs(stats.received - stats.accepted - stats.rejected) +
    Math.abs(stats.accepted - ended) +
    stats.running +
    stats.depth +
    stats.replaying
  );
}
