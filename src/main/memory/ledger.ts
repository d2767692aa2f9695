import type { BackendId } from '../../shared/domain';
import type { Ledger, LedgerEntry, MemoryStatus } from '../../shared/status';
import { sumOf } from './ledger-sums';
import type { LoadedModel, MemoryBehaviour, MemoryFigures } from './types';

/** What one server reports at this moment. */
export interface HolderFigures {
  backend: BackendId;
  behaviour: MemoryBehaviour;
  figures: MemoryFigures;
  loaded: readonly LoadedModel[];
}

/** Memory that will be taken: by an admitted load, or by the cache of an admitted prompt. */
export interface Promised {
  backend: BackendId;
  /** Model that the bytes are for. */
  model: string;
  /** Null = unknown. */
  bytes: number | null;
  /** The model must be loaded; else it is loaded or its weights are already promised, and only its cache will grow. */
  load: boolean;
  /** Bytes of the server's processes when it was promised; null = unknown, so that nothing counts as arrived. */
  heldBefore: number | null;
  /** Bytes in use on the machine when it was promised; null = unknown, or the work has not begun. */
  usedBefore: number | null;
  /** Wall time in ms. */
  at: number;
}

/** The account that decisions use: the ledger as shown, and figures that only decisions need. */
export interface Account {
  ledger: Ledger;
  behaviours: ReadonlyMap<BackendId, MemoryBehaviour>;
  loaded: readonly (LoadedModel & { backend: BackendId })[];
  /** The largest buffer that the GPU allows. */
  bufferBytes: number;
  /** Growth of the servers since the machine was last sampled. */
  grownBytes: number;
  /** How fast other programs take memory, bytes per second; 0 while they free memory, or if unknown. */
  risingBytesPerS: number;
  /** Loads that have begun, whether or not their model is loaded by now. */
  loads: readonly Pick<Promised, 'backend' | 'model'>[];
  /** Bytes of these loads that have not arrived yet. */
  loadingBytes: number;
}

/** Memory in use by all programs now, including what the servers took since the last sample. */
export function usedNow({ ledger, grownBytes }: Account): number {
  return ledger.usedBytes + grownBytes;
}

/** @throws RangeError for a backend that has no memory in this account */
export function behaviourOf(
  { behaviours }: Pick<Account, 'behaviours'>,
  backend: BackendId,
): MemoryBehaviour {
  const behaviour = behaviours.get(backend);
  if (!behaviour) throw new RangeError(`the account has no backend ${backend}`);
  return behaviour;
}

/** Share of memory that the GPU may use, if the system does not report it. */
export const WORKING_SET_SHARE = 0.75;
/**
 * `MTLDevice.maxBufferLength` is three quarters of the working set on Macs with 48 GB and more: 27 GiB of 36 on an
 * M4 Pro with 48 GB, 36 of 48 on an M1 Max with 64 GB.
 */
const BUFFER_SHARE = 0.75;

/** Puts all figures into one account. Pure; figures that are not reported stay null. */
export function ledgerAccount(
  machine: MemoryStatus,
  holders: readonly HolderFigures[],
  promised: readonly Promised[] = [],
  more: Partial<Pick<Ledger, 'pressure' | 'lastDecision'>> & { risingBytesPerS?: number } = {},
): Account {
  const told = (of: 'workingSet' | 'buffer') => deviceLimit(holders, of);
  const workingSetBytes = told('workingSet') ?? Math.floor(machine.totalBytes * WORKING_SET_SHARE);
  const behaviours = new Map(holders.map(({ backend, behaviour }) => [backend, behaviour]));
  const load = onlyLoad(machine, promised, behaviours);
  const coming = promised.map((promise) => ({
    loads: isUnderWay(promise),
    entry: promisedEntry(promise, holders, load?.promise === promise ? load.grownBytes : 0),
  }));
  return {
    ledger: {
      totalBytes: machine.totalBytes,
      usedBytes: machine.usedBytes,
      workingSetBytes,
      warningBytes: share(machine.totalBytes, machine.warningPercent),
      criticalBytes: share(machine.totalBytes, machine.criticalPercent),
      pressure: more.pressure ?? machine.pressure,
      entries: [
        ...holders.flatMap((holder) => entriesOf(holder, promised)),
        ...coming.map(({ entry }) => entry),
      ],
      lastDecision: more.lastDecision ?? null,
    },
    behaviours,
    loaded: holders.flatMap(({ backend, loaded }) => loaded.map((model) => ({ ...model, backend }))),
    bufferBytes: told('buffer') ?? Math.floor(workingSetBytes * BUFFER_SHARE),
    grownBytes: grownSince(machine, holders, load),
    risingBytesPerS: more.risingBytesPerS ?? 0,
    loads: promised.filter(isUnderWay),
    loadingBytes: sumOf(coming.filter(({ loads }) => loads).map(({ entry }) => entry)),
  };
}

/**
 * How fast programs other than the servers fill memory between two samples, bytes per second; never negative. The
 * servers' share is subtracted, as their loads are promised already: growth of their processes, or the bytes counted as
 * arrived if that is more, since a server's figures may be older than the sample.
 * @param seconds between the samples; more than 0
 * @param arrivedBytes bytes of loads that arrived since the first sample, as the ledger counts them
 */
export function risingBetween(
  before: MemoryStatus,
  now: MemoryStatus,
  seconds: number,
  arrivedBytes = 0,
): number {
  const own = Object.entries(now.backendBytes).reduce((sum, [backend, is]) => {
    const was = before.backendBytes[backend] ?? null;
    return sum + (was === null || is === null ? 0 : is - was);
  }, 0);
  return Math.max(0, now.usedBytes - before.usedBytes - Math.max(0, own, arrivedBytes)) / seconds;
}

function entriesOf(
  { backend, figures, loaded }: HolderFigures,
  promised: readonly Promised[],
): LedgerEntry[] {
  const { process, inside, peak, mayGrow } = figures;
  const silent =
    process.bytes === null && loaded.length === 0 && Object.values(inside).every((f) => f === null);
  // A server that is not on this machine, or not running, has no memory that could be unknown.
  if (silent) return [];
  const parts = [
    ['weights', inside.weights],
    ['kv_cache', inside.kvCache],
    ['buffers', inside.buffers],
    ['peak', peak],
  ] as const;
  const announced = (model: LoadedModel) =>
    promised.some((promise) => promise.backend === backend && promise.model === model.name);
  return [
    { backend, kind: 'process', name: null, ...process },
    ...(mayGrow ? [{ backend, kind: 'promised' as const, name: null, ...mayGrow }] : []),
    ...parts.flatMap(([kind, figure]) => (figure ? [{ backend, kind, name: null, ...figure }] : [])),
    // If the server reports its weights as one figure, these would be the same bytes again.
    ...(inside.weights ? [] : loaded.filter(({ ready }) => ready).map((model) => entryOf(backend, model))),
    ...loaded
      .filter((model) => !model.ready && !announced(model))
      .map((model) => ({ ...entryOf(backend, model), kind: 'promised' as const })),
  ];
}

function entryOf(backend: BackendId, { name, size }: LoadedModel): LedgerEntry {
  return { backend, kind: 'weights', name, ...size };
}

function isUnderWay({ load, usedBefore }: Promised): boolean {
  return load && usedBefore !== null;
}

/** A load in progress to which the machine's growth since its promise is attributed. */
interface Load {
  promise: Promised;
  grownBytes: number;
}

/**
 * Null without a load, and with several: the growth could then belong to any of them. Null also if the server reports
 * its own memory: other growth of the machine then belongs to other programs, not to the load.
 */
function onlyLoad(
  { usedBytes }: MemoryStatus,
  promised: readonly Promised[],
  behaviours: Account['behaviours'],
): Load | null {
  const [promise, another] = promised.filter(isUnderWay);
  if (!promise || promise.usedBefore === null || another) return null;
  if (behaviours.get(promise.backend)?.reports) return null;
  return { promise, grownBytes: usedBytes - promise.usedBefore };
}

function promisedEntry(
  promise: Promised,
  holders: readonly HolderFigures[],
  machineGrown: number,
): LedgerEntry {
  const { backend, model, bytes, at } = promise;
  const holder = holders.find((one) => one.backend === backend);
  const arrived = holder ? arrivedBytes(promise, holder, machineGrown) : 0;
  const coming = bytes === null ? null : Math.max(0, bytes - arrived);
  return { backend, kind: 'promised', name: model, bytes: coming, source: 'estimate', at };
}

/**
 * Bytes that arrived since the promise. A load has arrived when its model is loaded, whatever memory the processes
 * freed for it. Before that it is the growth of the processes, or of the machine: a server's figures are up to 10 s
 * old, and its processes need not include GPU memory.
 */
function arrivedBytes(
  { model, load, heldBefore }: Promised,
  { behaviour, figures, loaded }: HolderFigures,
  machineGrown: number,
): number {
  const there = load ? loaded.find(({ name, ready }) => ready && name === model) : undefined;
  if (there && behaviour.reserves) return Number.POSITIVE_INFINITY;
  const held = figures.process.bytes;
  const grown = held === null || heldBefore === null ? 0 : held - heldBefore;
  return Math.max(0, grown, there ? (there.size.bytes ?? 0) : machineGrown);
}

/** During a load counts only growth that the machine's sample lacks: the server's figure in it may predate the load. */
function grownSince(machine: MemoryStatus, holders: readonly HolderFigures[], load: Load | null): number {
  return holders.reduce((sum, { backend, figures }) => {
    const before = machine.backendBytes[backend] ?? null;
    const now = figures.process.bytes;
    if (before === null || now === null) return sum;
    const heldBefore = load?.promise.backend === backend ? load.promise.heldBefore : null;
    const unseen = load && heldBefore !== null ? now - heldBefore - load.grownBytes : now - before;
    return sum + Math.max(0, Math.min(now - before, unseen));
  }, 0);
}

function deviceLimit(holders: readonly HolderFigures[], of: 'workingSet' | 'buffer'): number | null {
  for (const { figures } of holders) {
    const bytes = figures.device[of]?.bytes;
    if (bytes) return bytes;
  }
  return null;
}

function share(total: number, percent: number): number {
  return Math.floor((total * percent) / 100);
}
