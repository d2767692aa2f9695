import type { ModelInfo } from '../../shared/domain';
import type { Pair, Suggestion } from '../../shared/models';
import { kvBytesPerToken } from '../memory/kv-cache';
import type { QuietMachine } from '../memory/quiet-machine';
import { CATALOGUE, type CatalogueRow } from './catalogue-table';
import { type FitPlace, fitOf, fitPlace } from './fit';
import { hasName } from './model-names';
import { type PairServer, type PairServers, type PlannedPair, pairsThatFit } from './pair';

export interface Installation extends PairServers {
  machine: QuietMachine;
  /** Free on the disk that holds the models; null = unknown. */
  diskFreeBytes: number | null;
  models: readonly Pick<ModelInfo, 'backend' | 'name' | 'aliases'>[];
}

export interface Proposal {
  /** The best pair that fits into memory and on the disk, else into memory only; null = none does. */
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
  const all = pairsThatFit(here.machine, here).map((pair) => asPair(pair, here));
  const fitting = all.filter((pair) => fitsDisk(pair, here));
  // With too little space on the disk, the user sees how much is missing.
  const pairs = fitting.length > 0 ? fitting : all;
  const pair = pairs[0] ?? null;
  const smaller = pairs.find((other) => other.downloadBytes <= (pair?.downloadBytes ?? 0) * SMALLER_SHARE);
  const places = { light: placeOf(here, here.light), heavy: placeOf(here, here.heavy) };
  return {
    pair,
    smallerPair: pair && pair.downloadBytes > 0 ? (smaller ?? null) : null,
    suggestions: CATALOGUE.flatMap((row) => {
      const place = row.purpose === 'light' ? places.light : places.heavy;
      const model = { ...row, kvBytesPerToken: kvBytesPerToken(row.kv) };
      // A model that runs with a shorter context only is not suggested.
      if (place === null || fitOf(model, { ...place, partner: null }) !== 'yes') return [];
      return suggestion(row, here, fitOf(model, place)) ?? [];
    }),
  };
}

function placeOf(here: Installation, server: PairServer): FitPlace | null {
  return server && fitPlace(here.machine, here, server);
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
  const {
    name,
    title,
    purpose,
    sizeBytes,
    billions,
    contextLength,
    languages,
    capabilities,
    licence,
    verified,
  } = row;
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
    verified,
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
