import { expect, it } from 'vitest';
import { MlxLibrary } from '../../../src/main/models/mlx-library';
import type { PlacedBroken, PlacedModel, ScanResult } from '../../../src/main/models/scan-result';
import { model } from '../../support/scripted-backend';

const place = (path: string) => ({ owner: 'folder' as const, root: '/models', path });

function found(name: string, aliases: string[] = []): PlacedModel {
  const path = `/models/${name}`;
  return {
    ...{ info: { ...model('mlx', name, 3), aliases }, path, place: place(path) },
    needs: { weightsBytes: 1, largestTensorBytes: 1, kvBytesPerToken: null },
    facts: { vocabSize: null, contextLength: null },
  };
}

function broken(name: string): PlacedBroken {
  return { name, reason: 'weights_missing', file: 'model.safetensors', place: place(`/models/${name}`) };
}

function library(models: PlacedModel[], others: PlacedBroken[] = []): MlxLibrary {
  const result: ScanResult = { models, broken: others, visited: [], diskFreeBytes: null };
  return new MlxLibrary({
    backend: 'mlx',
    scan: { run: async () => {}, result: () => result, hung: () => [] },
  });
}

it('finds the place of exactly the listed model, not of one whose name or alias is similar', () => {
  const models = library([found('Foo', ['org/Foo'])], [broken('foo')]);
  expect(models.placeOf('Foo')?.path).toBe('/models/Foo');
  expect(models.placeOf('foo')?.path).toBe('/models/foo');
  for (const name of ['FOO', 'org/Foo', 'Foo:latest']) expect(models.placeOf(name), name).toBeNull();
});

it('a model that is being deleted is neither listed nor loaded, under any name', async () => {
  const leaving = found('Foo', ['org/Foo']);
  const models = library([leaving, found('Bar')]);
  const show = models.hide(leaving.place);
  expect((await models.list()).map(({ name }) => name)).toEqual(['Bar']);
  for (const name of ['Foo', 'org/Foo']) expect(await models.resolve(name)).toBeNull();
  show();
  expect(await models.resolve('org/Foo')).toBe('/models/Foo');
});
