import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readManifest } from '../../../resources/setup/lib/manifest.js';
import { setUpRuntimes } from '../../../resources/setup/lib/set-up-runtimes.js';

/**
 * The managed MLX runtime built from a package of the test, which has mlx-lm's names and no content: the real pip, the
 * real hashes, the real environments, in seconds and without a network.
 */
const version = '9.9.9';
const pack = `
import sys, zipfile
name = "mlx_lm-${version}"
with zipfile.ZipFile(sys.argv[1], "w") as z:
    z.writestr("mlx/__init__.py", "")
    z.writestr("mlx/core.py", "class A:\\n  def item(self): return 4\\ndef ones(s): return A()\\ndef sum(a): return a\\n")
    z.writestr("mlx_lm/__init__.py", "")
    z.writestr("mlx_lm/server.py", "")
    for file in "llama/modeling_llama", "llama/tokenization_llama", "auto/modeling_auto":
        z.writestr("transformers/models/" + file + ".py", "")
    z.writestr(name + ".dist-info/METADATA", "Metadata-Version: 2.1\\nName: mlx-lm\\nVersion: ${version}\\n")
    z.writestr(name + ".dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    z.writestr(name + ".dist-info/RECORD", "")
`;

let scratch: string;
let runtimes: string;

beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'tandem-mlx-'));
  execFileSync('python3', ['-c', pack, join(scratch, `mlx_lm-${version}-py3-none-any.whl`)]);
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
beforeEach(() => {
  runtimes = mkdtempSync(join(scratch, 'runtimes-'));
});

function lockFile(hash: string): string {
  const file = join(scratch, `requirements-${hash.slice(0, 6)}.txt`);
  writeFileSync(file, `--no-index\n--find-links ${scratch}\nmlx-lm==${version} --hash=sha256:${hash}\n`);
  return file;
}

const goodLockFile = () =>
  lockFile(
    createHash('sha256')
      .update(readFileSync(join(scratch, `mlx_lm-${version}-py3-none-any.whl`)))
      .digest('hex'),
  );

/** Sets MLX up and returns its stages and its last event. */
async function setUp(requirements: string, wanted = version) {
  const manifest = readManifest();
  const stages: string[] = [];
  const { env } = process;
  const [last] = await setUpRuntimes({
    parts: ['mlx'],
    place: {
      // No other Python of this machine may be used instead.
      env: { PATH: env.PATH, TANDEM_RUNTIME_DIR: runtimes },
      platform: process.platform,
      home: homedir(),
    },
    manifest: {
      ...manifest,
      mlx: { ...manifest.mlx, version: wanted, requirements: { [process.platform]: requirements } },
    },
    allowPackages: false,
    adopt: false,
    onEvent: (event: { stage: string }) => stages.push(event.stage),
  });
  return { last, stages };
}

const runs = (python: string) =>
  execFileSync(python, ['-c', 'import mlx_lm.server; print("yes")'], { encoding: 'utf8' });

describe('the managed MLX runtime', () => {
  it('is set up once, found by the next start, and rebuilt when its Python is gone', async () => {
    const first = await setUp(goodLockFile());
    expect(first.last).toMatchObject({ stage: 'ready', source: 'managed', version });
    const python = first.last?.path ?? '';
    expect(python).toBe(join(runtimes, `mlx-${version}`, 'bin', 'python'));
    expect(runs(python)).toBe('yes\n');

    // Packages that only slow down the import of transformers are removed.
    const installed = readdirSync(join(runtimes, `mlx-${version}`), { recursive: true }).map(String);
    const models = installed.filter((file) =>
      /^lib\/.*transformers.models.*(modeling|tokenization)_\w+\.py$/.test(file),
    );
    expect(models.map((file) => file.split('/').slice(-2).join('/')).sort()).toEqual([
      'auto/modeling_auto.py',
      'llama/tokenization_llama.py',
    ]);

    const second = await setUp(goodLockFile());
    expect(second.stages).toEqual(['check', 'ready']);

    rmSync(python);
    const third = await setUp(goodLockFile());
    expect(third.stages).toContain('venv');
    expect(third.last).toMatchObject({ stage: 'ready', path: python });
    expect(runs(python)).toBe('yes\n');
    expect(readdirSync(runtimes)).toEqual([`mlx-${version}`]);
  });

  it('accepts no file with a wrong hash, and leaves nothing half built', async () => {
    mkdirSync(join(runtimes, '.mlx-1.0.0.building'));
    const { last } = await setUp(lockFile('0'.repeat(64)));
    expect(last).toMatchObject({ stage: 'failed', code: 'install_failed' });
    expect(readdirSync(runtimes)).toEqual([]);
  });

  it('continues with the present one when an update of version or packages fails', async () => {
    await setUp(goodLockFile());
    for (const wanted of ['10.0.0', version]) {
      const { last } = await setUp(lockFile('0'.repeat(64)), wanted);
      expect(last).toMatchObject({
        stage: 'ready',
        version,
        path: join(runtimes, `mlx-${version}`, 'bin', 'python'),
      });
      expect(last?.detail).toContain('the update failed');
    }
  });
});
