import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, readdir, rename, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, resolve } from 'node:path';
import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { build } from 'vite';
import { pagePolicy } from '../../src/shared/page-policy.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const SOURCE = join(ROOT, 'src/renderer');
const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.woff2': 'font/woff2',
  '.svg': 'image/svg+xml',
};

/** A hash over names, sizes and times of the sources: an unchanged UI is not built again. */
async function fingerprint(): Promise<string> {
  const hash = createHash('sha256');
  for (const folder of [SOURCE, join(ROOT, 'src/shared')]) {
    const entries = await readdir(folder, { recursive: true });
    for (const name of entries.sort()) {
      const { size, mtimeMs } = await stat(join(folder, name));
      hash.update(`${name} ${size} ${mtimeMs}\n`);
    }
  }
  return hash.digest('hex').slice(0, 16);
}

/**
 * Builds the UI as it ships, once per state of its sources, into `test-results/ui/`. Returns the folder. Two test files
 * that start together may both build it; the first to finish keeps its folder.
 */
async function buildRenderer(): Promise<string> {
  const folder = join(ROOT, 'test-results/ui', `production-${await fingerprint()}`);
  const isBuilt = () =>
    access(join(folder, 'index.html')).then(
      () => true,
      () => false,
    );
  if (await isBuilt()) return folder;
  const outDir = `${folder}.${process.pid}`;
  await buildInto(outDir);
  await rename(outDir, folder).catch(async (error) => {
    await rm(outDir, { recursive: true });
    if (!(await isBuilt())) throw error;
  });
  return folder;
}

async function buildInto(outDir: string): Promise<void> {
  // The test runner sets `test`, which would bundle React's development build: three times slower, and not what ships.
  const { NODE_ENV } = process.env;
  process.env.NODE_ENV = 'production';
  try {
    await build({
      configFile: false,
      logLevel: 'error',
      root: SOURCE,
      base: './',
      plugins: [react(), tailwindcss()],
      build: {
        outDir,
        emptyOutDir: true,
        assetsInlineLimit: 0,
        rollupOptions: { input: join(SOURCE, 'index.html') },
      },
    });
  } finally {
    process.env.NODE_ENV = NODE_ENV;
  }
}

export interface RendererServer {
  url: string;
  close: () => Promise<void>;
}

/** Serves the built UI on a free loopback port; its core is the page's `window.tandem`. */
export async function serveRenderer(): Promise<RendererServer> {
  const folder = await buildRenderer();
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    const file = join(folder, path === '/' ? 'index.html' : path);
    response.setHeader('content-security-policy', pagePolicy());
    response.setHeader('content-type', TYPES[extname(file)] ?? 'application/octet-stream');
    createReadStream(file)
      .on('error', () => response.writeHead(404).end())
      .pipe(response);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    close: () =>
      new Promise((done) => {
        server.closeAllConnections();
        server.close(() => done());
      }),
  };
}
