import type { Snapshot } from '../../shared/contract';
import { isServing, titleOf } from '../../shared/domain';
import type { BackendStatus } from '../../shared/status';
import { isSwitchedOn } from '../../shared/use-backends';
import type { ShellStrings } from './strings';

/** Shapes of the menubar icon; each has its image in `resources/tray/`. */
export const TRAY_SHAPES = ['healthy', 'busy', 'degraded', 'attention'] as const;
export type TrayShape = (typeof TRAY_SHAPES)[number];

/** The parts of the snapshot that the shell reads. */
export type ShellFacts = Pick<Snapshot, 'instances' | 'backends' | 'memory' | 'queue' | 'settings'>;

/** Backends that are switched on; the others do not affect health. */
function backendsInUse({ backends, settings }: ShellFacts): BackendStatus[] {
  const wanted = settings.useBackends?.value;
  return backends.filter(({ id }) => wanted === undefined || isSwitchedOn(id, wanted));
}

/**
 * First what needs the user (an open breaker, no server that can answer, critical memory), then a server that does not
 * serve, then work in progress.
 */
export function trayShape(facts: ShellFacts): TrayShape {
  const used = backendsInUse(facts);
  const stuck = used.every(({ state }) => !isServing(state) && state !== 'starting');
  if (used.some(({ state }) => state === 'open') || (used.length > 0 && stuck)) return 'attention';
  if (facts.memory?.pressure === 'critical') return 'attention';
  if (used.some(({ state }) => !isServing(state))) return 'degraded';
  return facts.queue.stats.running + facts.queue.stats.depth > 0 ? 'busy' : 'healthy';
}

/** The state in words, one line per server. */
export function trayTooltip(facts: ShellFacts, strings: ShellStrings): string {
  const { running, depth } = facts.queue.stats;
  const pressure = facts.memory?.pressure;
  return [
    'Tandem',
    ...backendsInUse(facts).map(
      ({ id, state }) => `${titleOf(facts.instances, id)}: ${strings.states[state]}`,
    ),
    ...(running > 0 ? [strings.answering(running)] : []),
    ...(depth > 0 ? [strings.waiting(depth)] : []),
    ...(pressure === 'warning' || pressure === 'critical' ? [strings.memory[pressure]] : []),
  ].join('\n');
}

/** Servers that stop with the app: those it started, not adopted ones. */
export function stoppedByQuit({ instances, backends }: ShellFacts): string[] {
  return backends
    .filter(({ ownership, pid }) => ownership === 'managed' && pid !== null)
    .map(({ id }) => titleOf(instances, id));
}
