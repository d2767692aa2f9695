import { describe, expect, it } from 'vitest';
import { kvBytesPerToken } from '../../../src/main/memory/kv-cache';
import { propose } from '../../../src/main/models/catalogue';
import { CATALOGUE } from '../../../src/main/models/catalogue-table';
import { fitOf, fitPlace } from '../../../src/main/models/fit';
import { PAIR_SERVERS } from '../../bench/memory/pairs';
import { MEMORY_CLASSES } from '../../bench/memory/published-macs';
import { fitPlaceOf } from '../../support/fit-place';

const mac = (gib: number) => ({ totalBytes: gib * 2 ** 30, criticalPercent: 95 });

describe('how well a model fits', () => {
  it.each(MEMORY_CLASSES)('with %i GB is the same in the catalogue and once it is installed', (gib) => {
    const here = { machine: mac(gib), ...PAIR_SERVERS, diskFreeBytes: null, models: [] };
    const { pair, suggestions } = propose(here);
    const installedFit = (name: string, backend: string) => {
      const row = CATALOGUE.find((one) => one.name === name);
      const server = [PAIR_SERVERS.light, PAIR_SERVERS.heavy].find((one) => one?.backend === backend);
      if (!row || !server) throw new Error(name);
      const { sizeBytes, contextLength } = row;
      const model = { sizeBytes, contextLength, kvBytesPerToken: kvBytesPerToken(row.kv) };
      return fitOf(model, fitPlace(mac(gib), PAIR_SERVERS, server));
    };
    for (const { name, backend, fit } of suggestions) expect(installedFit(name, backend), name).toBe(fit);
    for (const model of [pair?.light, pair?.heavy]) {
      expect(model && installedFit(model.name, model.backend)).toBe('yes');
      expect(suggestions.find(({ name }) => name === model?.name)?.fit).toBe('yes');
    }
  });

  it('follows from weights, context and activations on this machine', () => {
    const model = { sizeBytes: 20e9, contextLength: 32_768, kvBytesPerToken: 262_144 };
    expect([16, 36, 64].map((gib) => fitOf(model, fitPlaceOf(gib)))).toEqual(['no', 'tight', 'yes']);
    expect(fitOf({ ...model, sizeBytes: null }, fitPlaceOf(64))).toBe('unknown');
    expect(fitOf(model, null)).toBe('unknown');
  });

  it('is "no" for a cache of unknown shape only if the weights alone do not fit', () => {
    const model = { sizeBytes: 20e9 };
    expect([16, 36, 64].map((gib) => fitOf(model, fitPlaceOf(gib)))).toEqual(['no', 'tight', 'yes']);
  });
});
