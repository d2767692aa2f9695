import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readManifest, resourcesDir } from '../../../resources/setup/lib/manifest.js';

const { mlx, ollama } = readManifest();
const text = (path: string) => readFileSync(join(resourcesDir, path), 'utf8');

/** Each requirement of a lock file with the lines that continue it. */
function requirements(path: string): string[] {
  return text(path)
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '');
}

describe.each(Object.entries<string>(mlx.requirements))('Python packages for %s', (_platform, path) => {
  it('are all exact and carry hashes', () => {
    const all = requirements(path);
    expect(all.length).toBeGreaterThan(20);
    for (const line of all) expect(line).toMatch(/^[a-z0-9][\w.-]*==\S+ ;.* --hash=sha256:[0-9a-f]{64}/i);
  });

  it('hold the pinned mlx-lm', () => {
    expect(requirements(path).some((line) => line.startsWith(`mlx-lm==${mlx.version} `))).toBe(true);
  });

  it('name no download location', () => {
    expect(text(path)).not.toMatch(/https?:|--(extra-)?index-url|--find-links/);
  });
});

describe('the Ollama module', () => {
  it('is the pinned one, with its hash, in go.mod and go.sum', () => {
    expect(text(`${ollama.goFiles}/go.mod`)).toContain(`${ollama.module} ${ollama.moduleVersion}`);
    expect(text(`${ollama.goFiles}/go.sum`)).toContain(
      `${ollama.module} ${ollama.moduleVersion} ${ollama.sum}\n`,
    );
    expect(ollama.moduleVersion).toBe(`v${ollama.version}`);
    expect(ollama.llamaCpp.sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it('comes with a hash for every module that the build may load', () => {
    const sums = new Set(
      text(`${ollama.goFiles}/go.sum`)
        .split('\n')
        .map((line) =>
          line
            .split(' ')
            .slice(0, 2)
            .join(' ')
            .replace(/\/go\.mod$/, ''),
        ),
    );
    const wanted = [...text(`${ollama.goFiles}/go.mod`).matchAll(/^\s+(\S+) (v\S+)/gm)].map(
      (match) => `${match[1]} ${match[2]}`,
    );
    expect(wanted.length).toBeGreaterThan(50);
    expect(wanted.filter((module) => !sums.has(module))).toEqual([]);
  });
});
