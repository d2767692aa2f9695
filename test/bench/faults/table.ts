import { type Figures, median, quantile } from '../report.ts';
import type { FaultLine, Judged, Ledger } from './ledger.ts';

const HANDOVER_MS = 50;
const GROWTH_MB = 20;
/** Outages that lasted hours elsewhere. */
const OUTAGE_S = 60;

/**
 * One line per kind of fault (leftovers as sums, the host's memory as mean growth over one fault), then the faults
 * without effect and the errors.
 */
export function tableOf(ledger: Ledger, judged: readonly Judged[], kinds: readonly string[]): string[] {
  const rows = [
    [
      ...['fault', 'effective', 'requests', 'mlx', 'ollama', 'replayed', 'extra s', 'back s'],
      ...['lost', 'doubled', 'settled 2x', 'wrong label', 'processes', 'ports', 'files', 'host MB'],
    ],
    ...kinds
      .filter((name) => ledger.faults.some(({ kind }) => kind === name))
      .map((kind) => row(ledger, judged, kind)),
    row(ledger, judged, null),
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
  const lines = rows.map((cells) =>
    cells.map((cell, column) => cell.padEnd(widths?.[column] ?? 0)).join('  '),
  );
  for (const { kind, index, why } of ledger.faults.filter(({ effective }) => !effective)) {
    lines.push(`without effect: #${index} ${kind}: ${why}`);
  }
  for (const { sent, verdict } of judged) {
    if (!verdict.lost && !verdict.doubled && !verdict.wrongLabel) continue;
    const { id, kind, status, code, backend, fault, reasons, ended } = sent;
    const heard = sent.parts.map((part) => part.text.slice(-12));
    lines.push(JSON.stringify({ ...verdict, id, kind, status, code, backend, ended, fault, reasons, heard }));
  }
  return lines;
}

function row(ledger: Ledger, judged: readonly Judged[], kind: string | null): string[] {
  const faults = ledger.faults.filter((fault) => fault.kind === kind);
  const indexes = new Set(faults.map(({ index }) => index));
  const mine = judged.filter(({ sent }) => (sent.fault === null ? kind === null : indexes.has(sent.fault)));
  const count = (which: (each: Judged) => boolean) => String(mine.filter(which).length);
  const usual = new Map<string, number>();
  const extra = mine.map((each) => {
    const kindOf = classOf(each);
    if (!usual.has(kindOf)) usual.set(kindOf, usualMs(judged, kindOf));
    return each.verdict.full ? each.sent.ms - (usual.get(kindOf) ?? 0) : 0;
  });
  const effective = faults.filter((fault) => fault.effective).length;
  const twice = ledger.details('settled_twice');
  return [
    kind ?? '(no fault)',
    kind === null ? '' : `${effective}/${faults.length}`,
    count(({ verdict }) => verdict.accepted),
    count(({ sent, verdict }) => verdict.full && sent.backend === 'mlx'),
    count(({ sent, verdict }) => verdict.full && sent.backend === 'ollama'),
    count(({ verdict }) => verdict.replayed),
    (Math.max(0, ...extra) / 1000).toFixed(1),
    longest(kind === null ? [] : ledger.values('back_s', kind)),
    count(({ verdict }) => verdict.lost),
    count(({ verdict }) => verdict.doubled),
    count(({ sent }) => twice.has(sent.id)),
    count(({ verdict }) => verdict.wrongLabel),
    ...(['processes', 'ports', 'files'] as const).map((what) => String(leftBy(faults, what))),
    mean(faults.flatMap(({ left }) => left.hostMb ?? [])),
  ];
}

const leftBy = (faults: readonly FaultLine[], what: 'processes' | 'ports' | 'files') =>
  faults.reduce((total, { left }) => total + left[what], 0);

const longest = (values: readonly number[]) => (values.length === 0 ? '' : Math.max(...values).toFixed(1));

const mean = (values: readonly number[]) =>
  values.length === 0 ? '' : (values.reduce((sum, value) => sum + value, 0) / values.length).toFixed(1);

const classOf = ({ sent }: Judged) => `${sent.kind} ${sent.words}`;

/** The usual time of a request of this class without faults. */
function usualMs(judged: readonly Judged[], kindOf: string): number {
  const calm = judged.filter(
    (each) => each.sent.fault === null && each.verdict.full && classOf(each) === kindOf,
  );
  return calm.length === 0 ? 0 : median(calm.map(({ sent }) => sent.ms));
}

/** The figures over all kinds, with their goals. */
export function figuresOf(ledger: Ledger, judged: readonly Judged[]): Figures {
  const count = (which: (each: Judged) => boolean) => judged.filter(which).length;
  const sum = (name: string) => ledger.values(name).reduce((total, value) => total + value, 0);
  const never = (value: number) => ({ value, unit: '', goal: 0, correct: true });
  const handover = ledger.values('handover_ms');
  const growth = ledger.values('host_growth_mb');
  const back = ledger.values('back_s');
  return {
    'faults.effective': {
      value: ledger.faults.filter(({ effective }) => effective).length,
      unit: '',
      goal: null,
    },
    'faults.without_effect': {
      value: ledger.faults.filter(({ effective }) => !effective).length,
      unit: '',
      goal: null,
    },
    'requests.accepted': { value: count(({ verdict }) => verdict.accepted), unit: '', goal: null },
    'requests.full': { value: count(({ verdict }) => verdict.full), unit: '', goal: null },
    'requests.lost': never(count(({ verdict }) => verdict.lost)),
    'requests.doubled_text': never(count(({ verdict }) => verdict.doubled)),
    'requests.settled_twice': never(sum('settled_twice')),
    'requests.wrong_label': never(count(({ verdict }) => verdict.wrongLabel)),
    'requests.known_killer_reached_mlx': never(sum('rule_broken')),
    'chat.stuck_rows': never(sum('stuck_rows')),
    'leaked.processes': never(sum('leaked_processes') + leftBy(ledger.faults, 'processes')),
    'leaked.files': never(sum('leaked_files') + leftBy(ledger.faults, 'files')),
    'leaked.ports': never(sum('leaked_ports') + leftBy(ledger.faults, 'ports')),
    'leaked.handles': never(sum('leaked_handles')),
    'leaked.timers': never(sum('leaked_timers')),
    'leaked.listeners': never(sum('leaked_listeners')),
    'host.memory_growth': { value: Math.max(0, ...growth), unit: 'MB', goal: GROWTH_MB },
    ...(back.length > 0 ? { 'outage.longest': { value: Math.max(...back), unit: 's', goal: OUTAGE_S } } : {}),
    'handover.count': { value: handover.length, unit: '', goal: null },
    ...(handover.length > 0
      ? {
          'handover.p50': { value: median(handover), unit: 'ms', goal: null },
          'handover.p95': { value: quantile(handover, 0.95), unit: 'ms', goal: HANDOVER_MS },
        }
      : {}),
    'button.presses': { value: sum('presses'), unit: '', goal: null },
  };
}
