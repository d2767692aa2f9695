import type { ModelInfo } from '../../shared/domain';
import type { Pair, Suggestion } from '../../shared/models';
import { holdsTogether, type QuietMachine } from '../memory/quiet-machine';
import { CATALOGUE, type CatalogueRow } from './catalogue-table';
import { hasName } from './model-names';
import { type PairServers, type PlannedPair, pairsThatFit, plannedModel, usefulContext } from './pair';

export interface Installation extends PairServers {
  machine: QuietMachine;
  /** Free on the disk that holds the models; null = unknown. */
  diskFreeBytes: number | null;
  models: readonly Pick<ModelInfo, 'backend' | 'name' | 'aliases'>[];
}

export interface Proposal {
  /** The best pair that fits into memory and on the disk; null = none does. */
  pair: Pair | null;
  /** One with at most 60 % of the bytes to download; null = there is none, or nothing is to be downloaded. */
  smallerPair: Pair | null;
  /** All models that fit this machine, the best first within a purpose. */
  suggestions: Suggestion[];
}

/** A smaller pair is worth a choice only if it is clearly smaller. */
const SMALLER_SHARE = 0.6;
/** Left free on the disk after a download. */
const DISK_RESERVE_BYTES = 5e9;

/** What to install on this machine, from the catalogue. Pure. */
export function propose(here: Installation): Proposal {
  const partners = pairsThatFit(here.machine, here);
  const pairs = partners.map((pair) => asPair(pair, here)).filter((pair) => fitsDisk(pair, here));
  const pair = pairs[0] ?? null;
  const smaller = pairs.find((other) => other.downloadBytes <= (pair?.downloadBytes ?? 0) * SMALLER_SHARE);
  return {
    pair,
    smallerPair: pair && pair.downloadBytes > 0 ? (smaller ?? null) : null,
    suggestions: CATALOGUE.flatMap((row) => {
      const fit = fitOfRow(row, here, partners);
      return (fit && suggestion(row, here, fit)) ?? [];
    }),
  };
}

/** `yes`: it runs together with the best partner on the other server; `tight`: it runs alone. */
function fitOfRow(
  row: CatalogueRow,
  here: Installation,
  partners: readonly PlannedPair[],
): 'yes' | 'tight' | null {
  const server = serverOf(row, here);
  if (!server) return null;
  const tokens = usefulContext(null);
  const own = plannedModel(row, server, tokens);
  if (!holdsTogether(here.machine, [own])) return null;
  const [best] = partners;
  const other = row.purpose === 'light' ? (best?.heavy ?? null) : (best?.light ?? null);
  const otherServer = other && serverOf(other, here);
  if (!other || !otherServer) return 'yes';
  return holdsTogether(here.machine, [plannedModel(other, otherServer, tokens), own]) ? 'yes' : 'tight';
}

function asPair({ light: lightRow, heavy: heavyRow, memoryBytes }: PlannedPair, here: Installation): Pair {
  const light = lightRow && suggestion(lightRow, here, 'yes');
  const heavy = heavyRow && suggestion(heavyRow, here, 'yes');
  const missing = [light, heavy].filter((model) => model?.installed === false);
  const downloadBytes = missing.reduce((sum, model) => sum + (model?.sizeBytes ?? 0), 0);
  return { light, heavy, downloadBytes, memoryBytes };
}

/** A row as the UI shows it; null if its server is missing. */
function suggestion(row: CatalogueRow, here: Installation, fit: Suggestion['fit']): Suggestion | null {
  const backend = serverOf(row, here)?.backend;
  if (backend === undefined) return null;
  const { name, title, purpose, sizeBytes, billions, contextLength, languages, capabilities, licence } = row;
  const known = {
    name,
    title,
    purpose,
    sizeBytes,
    billions,
    contextLength,
    languages,
    capabilities,
    licence,
  };
  return { ...known, backend, fit, installed: isInstalled(row, here) };
}

function fitsDisk({ downloadBytes }: Pair, { diskFreeBytes }: Installation): boolean {
  if (downloadBytes === 0 || diskFreeBytes === null) return true;
  return downloadBytes + DISK_RESERVE_BYTES <= diskFreeBytes;
}

function serverOf({ purpose }: CatalogueRow, { light, heavy }: PairServers) {
  return purpose === 'light' ? light : heavy;
}

function isInstalled(row: CatalogueRow, here: Installation): boolean {
  const backend = serverOf(row, here)?.backend;
  return here.models.some((model) => model.backend === backend && hasName(model, row.name));
}
