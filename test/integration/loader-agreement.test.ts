import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LOADABLE_TYPES, TOKENIZER_TYPES } from '../../src/main/models/mlx-loader';
import { ODD_MODELS, writeOddModels } from '../support/odd-models';
import { LAUNCH_SCRIPT, mlxPython } from '../support/runtimes';
import { placesIn, scanned } from '../support/scan';

const LOADER = join(import.meta.dirname, '../support/load-models.py');

describe('the scanner and the loader of mlx-lm', () => {
  let folder: string;
  let paths: Map<string, string>;
  let loader: Loader;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tandem-odd-'));
    paths = await writeOddModels(folder);
    loader = loadAll([...paths.values()]);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('agree on every odd model', async () => {
    const { models, broken } = await scanned(placesIn(join(folder, 'home'), { folders: [folder] }));
    const rows = ODD_MODELS.map((name) => {
      const path = paths.get(name) ?? '';
      const found = models.some((model) => model.path === path);
      const why = broken.find((model) => model.name === name);
      const scanner = found ? 'usable' : why ? `${why.reason} ${why.file}` : 'not listed';
      const error = loader.errors.get(path);
      return { name, scanner, loader: error ?? 'loaded', agree: found === (error === null) };
    });
    const table = rows.map((row) => [row.agree ? ' ' : '!', row.name, row.scanner, row.loader].join(' | '));
    expect(
      rows.filter(({ agree }) => !agree),
      table.join('\n'),
    ).toEqual([]);
  });

  it('know the same types of models', () => {
    expect([...LOADABLE_TYPES].sort()).toEqual(loader.types.toSorted());
    expect([...TOKENIZER_TYPES].sort()).toEqual(loader.tokenizers.toSorted());
  });
});

interface Loader {
  /** By folder; null = it was loaded. */
  errors: Map<string, string | null>;
  /** Values of `model_type`, and those of them for which transformers has a tokenizer. */
  types: string[];
  tokenizers: string[];
}

/** Loads each folder with the real mlx-lm, in one process. */
function loadAll(folders: readonly string[]): Loader {
  const output = execFileSync(mlxPython(), [LOADER, LAUNCH_SCRIPT], {
    input: folders.map((path) => `${JSON.stringify(path)}\n`).join(''),
    env: { ...process.env, HF_HUB_OFFLINE: '1', TRANSFORMERS_OFFLINE: '1' },
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const [{ types, tokenizers }, ...loads] = output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  return { errors: new Map(loads.map(({ folder, error }) => [folder, error])), types, tokenizers };
}
