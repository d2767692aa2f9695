import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'vite';

const root = resolve(import.meta.dirname, '../..');

export interface BuiltEntry {
  url: URL;
  remove(): Promise<void>;
}

/**
 * Bundles one TypeScript entry into a temporary file that a worker thread or a child process can run: sources import
 * each other without extensions, which Node alone does not resolve. `entry` is relative to the project's root.
 * @param old for Electron 22, which has Node 16 and runs no ES module
 */
export async function buildEntry(entry: string, old = false): Promise<BuiltEntry> {
  const file = old ? 'entry.cjs' : 'entry.mjs';
  const outDir = await mkdtemp(join(tmpdir(), 'tandem-built-'));
  await build({
    configFile: false,
    root,
    logLevel: 'silent',
    ssr: { noExternal: true },
    build: {
      ssr: resolve(root, entry),
      outDir,
      emptyOutDir: false,
      copyPublicDir: false,
      ...(old ? { target: 'node16' } : {}),
      rollupOptions: { external: ['electron'], output: { entryFileNames: file, format: old ? 'cjs' : 'es' } },
    },
  });
  return {
    url: pathToFileURL(join(outDir, file)),
    remove: () => rm(outDir, { recursive: true, force: true }),
  };
}

/** The store's worker, in the form that `openStore` takes. */
export function buildStoreWorker(): Promise<BuiltEntry> {
  return buildEntry('src/main/store/store-worker.ts');
}
