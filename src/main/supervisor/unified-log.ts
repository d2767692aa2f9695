import type { ExitCause } from '../../shared/incidents';
import type { Clock } from '../ports/clock';
import type { Spawner } from '../ports/spawner';
import { type EvidenceCode, evidenceIn, GPU_LINES } from './evidence-lines';
import { exitCause } from './exit-cause';
import type { Death } from './life';
import { drainLines } from './log-ring';

/** The log of two minutes is searched within seconds on an idle Mac; nobody waits for it. */
const TIME_LIMIT_MS = 20_000;
const MOST_BYTES = 1_000_000;

const QUERY = [
  ...['show', '--last', '2m', '--style', 'ndjson'],
  ...['--predicate', 'eventMessage CONTAINS "IOGPUMetalError"'],
];

/**
 * What macOS logged about the GPU work of one process in the last two minutes: some kills leave no trace in the output
 * of the process. Reads at most 1 MB within 20 s, and stores no line. Never rejects; an error, or a system without this
 * log, gives no evidence.
 */
export async function gpuErrorsLogged(
  { spawner, clock }: { spawner: Spawner; clock: Clock },
  pid: number,
): Promise<EvidenceCode[]> {
  const found: EvidenceCode[] = [];
  let bytes = 0;
  const child = spawner.spawn({ command: '/usr/bin/log', args: QUERY, env: { LC_ALL: 'C' } });
  const end = () => child.kill('SIGKILL');
  const cancel = clock.after(TIME_LIMIT_MS, end);
  drainLines(child.stderr, () => {});
  drainLines(child.stdout, (line) => {
    bytes += line.length;
    if (bytes > MOST_BYTES) end();
    else found.push(...evidenceOf(line, pid));
  });
  await child.exited;
  cancel();
  return [...new Set(found)];
}

/** What that log says about a death without evidence; null = nothing. Never rejects. */
export async function explainDeath(
  ports: { spawner: Spawner; clock: Clock },
  { pid, exit, circumstances }: Death,
): Promise<{ cause: ExitCause; evidence: EvidenceCode[] } | null> {
  const lines = pid === null || exit === null ? [] : await gpuErrorsLogged(ports, pid);
  if (exit === null || lines.length === 0) return null;
  const unknown = { named: null, stalled: false, overdue: false };
  return { cause: exitCause({ exit, lines, ...unknown, ...circumstances }), evidence: lines };
}

/** Another program's GPU work may have failed at the same time, so only lines of this process count. */
function evidenceOf(line: string, pid: number): EvidenceCode[] {
  try {
    const { processID, eventMessage } = JSON.parse(line) as { processID?: unknown; eventMessage?: unknown };
    if (processID !== pid || typeof eventMessage !== 'string') return [];
    return evidenceIn([eventMessage], GPU_LINES);
  } catch {
    return [];
  }
}
