import { beforeEach, describe, expect, it } from 'vitest';
import { BackendRegistry } from '../../../src/main/backends/registry';
import { hasCapableModel, ModelLibrary } from '../../../src/main/models/model-library';
import { silentLogger } from '../../../src/main/ports/logger';
import type { ModelInfo } from '../../../src/shared/domain';
import { SMALL_MODEL_NAME } from '../../../src/shared/domain';
import { FakeClock } from '../../support/fake-clock';
import { fitPlaceOf } from '../../support/fit-place';
import { model, ScriptedBackend } from '../../support/scripted-backend';

/** A backend whose model list a test sets; null = it cannot be queried. */
class ListingBackend extends ScriptedBackend {
  installed: ModelInfo[] | null = [];
  override async models(): Promise<ModelInfo[]> {
    if (!this.installed) throw new Error('down');
    return this.installed;
  }
}

let clock: FakeClock;
let mlx: ListingBackend;
let ollama: ListingBackend;
let library: ModelLibrary;
let told: string[][];

beforeEach(() => {
  clock = new FakeClock();
  mlx = new ListingBackend('mlx', clock);
  ollama = new ListingBackend('ollama', clock);
  library = new ModelLibrary({ registry: new BackendRegistry([mlx, ollama]), clock, logger: silentLogger });
  told = [];
  library.onChange((models) => told.push(models.map(({ name }) => name)));
});

describe('the library of models', () => {
  it('reports a model installed by hand, once, within a minute', async () => {
    library.start();
    await clock.advance(0);
    ollama.installed = [model('ollama', 'new:7b', 7)];
    await clock.advance(30_000);
    await clock.advance(30_000);
    expect(told).toEqual([['new:7b']]);
    library.stop();
    ollama.installed = [];
    await clock.advance(60_000);
    expect(told).toHaveLength(1);
  });

  it('scans once more for callers during a scan, who get the current state', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    let asked = 0;
    mlx.models = async () => {
      asked += 1;
      const seen = mlx.installed ?? [];
      await promise;
      return seen;
    };
    const first = library.rescan();
    mlx.installed = [model('mlx', 'added', 3)];
    const later = [library.rescan(), library.rescan()];
    resolve();
    await first;
    expect(library.models()).toEqual([]);
    await Promise.all(later);
    expect(library.models().map(({ name }) => name)).toEqual(['added']);
    expect(asked).toBe(2);
    await library.rescan();
    expect(asked).toBe(3);
  });

  it('rates the models, and reports when something has become unusable', async () => {
    let broken: { name: string; reason: 'weights_missing'; file: string }[] = [];
    const rated = new ModelLibrary({
      registry: new BackendRegistry([mlx, ollama]),
      clock,
      logger: silentLogger,
      place: () => fitPlaceOf(16),
      broken: () => broken,
    });
    let changes = 0;
    rated.onChange(() => {
      changes += 1;
    });
    ollama.installed = [
      model('ollama', 'large', 32, { sizeBytes: 20e9 }),
      model('ollama', 'small', 3, { sizeBytes: 2e9 }),
      model('ollama', 'far:cloud', 3, { sizeBytes: 400, remote: true }),
    ];
    await rated.rescan();
    expect(rated.models().map(({ name, fit }) => [name, fit])).toEqual([
      ['large', 'no'],
      ['small', 'yes'],
      ['far:cloud', 'unknown'],
    ]);
    broken = [{ name: 'half', reason: 'weights_missing', file: 'model.safetensors' }];
    await rated.rescan();
    expect(changes).toBe(2);
    await rated.rescan();
    expect(changes).toBe(2);
  });

  it('keeps the list of an unreachable backend, and reports when it is back even without changes', async () => {
    mlx.installed = [model('mlx', 'small', 3)];
    ollama.installed = [model('ollama', 'large', 32)];
    library.start();
    await clock.advance(0);
    ollama.installed = null;
    ollama.state = 'backoff';
    await library.rescan();
    expect(library.models().map(({ name }) => name)).toEqual(['small', 'large']);
    const before = told.length;
    ollama.installed = [model('ollama', 'large', 32)];
    ollama.state = 'ready';
    await clock.advance(0);
    expect(told.slice(before)).toContainEqual(['small', 'large']);
  });

  it('reads the other list while one hangs, and reads that one when it responds again', async () => {
    mlx.installed = [model('mlx', 'small', 3)];
    ollama.installed = [model('ollama', 'large', 32)];
    const answering = mlx.models.bind(mlx);
    mlx.models = () => new Promise(() => {});
    const scan = library.rescan();
    await clock.advance(0);
    expect(told).toEqual([['large']]);
    await clock.advance(5_000);
    await scan;
    mlx.models = answering;
    await library.rescan();
    expect(told.at(-1)).toEqual(['small', 'large']);
    expect(clock.pending).toBe(0);
  });

  it('counts only local models that can answer, and not the small one', () => {
    const small = model('mlx', SMALL_MODEL_NAME, 0.135, { small: true });
    const remote = model('ollama', 'large:cloud', 120, { remote: true });
    const embedding = model('ollama', 'bert', 0.1, { capabilities: ['embedding'] });
    expect(hasCapableModel([small, remote, embedding])).toBe(false);
    expect(hasCapableModel([small, model('ollama', 'tiny', 1)])).toBe(true);
  });
});
