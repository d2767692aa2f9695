import { resolve } from 'node:path';
import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'electron-vite';
import type { Plugin } from 'vite';

/** KaTeX's style sheet names each font in three formats; every browser that runs the page takes the first. */
function woff2Only(): Plugin {
  return {
    name: 'woff2-only',
    enforce: 'pre',
    transform: (code, id) =>
      id.includes('katex.min.css')
        ? code.replaceAll(/,url\([^)]*\.(?:woff|ttf)\) format\("[a-z]+"\)/g, '')
        : undefined,
  };
}

const source = (path: string) => resolve(import.meta.dirname, 'src', path);

export default defineConfig({
  main: {
    build: {
      // Bundled and minified: no node_modules in a package, and a third less memory for source text and its bytecode.
      externalizeDeps: false,
      minify: true,
      sourcemap: true,
      rollupOptions: {
        // Two hosts over one core, the worker thread that owns the database, the process that looks for models.
        input: {
          index: source('main/index.ts'),
          headless: source('main/headless.ts'),
          'store-worker': source('main/store/store-worker.ts'),
          'scan-child': source('main/models/scan-child.ts'),
        },
      },
    },
  },
  preload: {
    build: {
      externalizeDeps: false,
      rollupOptions: {
        input: { index: source('preload/index.ts') },
        // A sandboxed window cannot load an ESM preload.
        output: { format: 'cjs', entryFileNames: '[name].cjs' },
      },
    },
  },
  renderer: {
    root: source('renderer'),
    plugins: [react(), tailwindcss(), woff2Only()],
    // The page's policy lets no font come from a data address.
    build: { assetsInlineLimit: 0, rollupOptions: { input: source('renderer/index.html') } },
  },
});
