import { readFile } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import type { CustomScheme, Protocol } from 'electron';
import { own } from '../../shared/own';
import { pagePolicy } from '../../shared/page-policy';

/** Our pages' own origin; not `file://`, where all files share one origin. */
const APP_SCHEME = 'app';
const APP_HOST = 'tandem';
export const APP_ORIGIN = `${APP_SCHEME}://${APP_HOST}`;

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
};

/** Must be registered before the app is ready. */
export const APP_PRIVILEGES: CustomScheme = {
  scheme: APP_SCHEME,
  privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true },
};

/** Is this the address of one of our own pages? */
export function isAppUrl(address: string): boolean {
  const url = URL.parse(address);
  return url !== null && url.protocol === `${APP_SCHEME}:` && url.host === APP_HOST;
}

/** Serves only the built UI, under `app://tandem`. */
export function serveApp(protocol: Pick<Protocol, 'handle'>, rendererDir: string): void {
  protocol.handle(APP_SCHEME, (request) => answerFile(request, rendererDir));
}

/** The file for one of our addresses. Foreign hosts, other methods and paths outside the folder get 4xx. */
export async function answerFile(
  request: Pick<Request, 'url' | 'method'>,
  rendererDir: string,
): Promise<Response> {
  if (request.method !== 'GET') return refusal(405);
  if (!isAppUrl(request.url)) return refusal(403);
  const file = fileOf(request.url, rendererDir);
  const type = file === null ? undefined : own(TYPES, extname(file));
  if (file === null || type === undefined) return refusal(404);
  try {
    return new Response(await readFile(file), { headers: { ...HEADERS, 'Content-Type': type } });
  } catch {
    return refusal(404);
  }
}

const HEADERS = {
  'Content-Security-Policy': pagePolicy(),
  'X-Content-Type-Options': 'nosniff',
  'Cache-Control': 'no-store',
} as const;

function refusal(status: number): Response {
  return new Response(null, { status, headers: HEADERS });
}

/** Absolute path below the folder; null if the address leads outside. */
function fileOf(address: string, rendererDir: string): string | null {
  const { pathname } = new URL(address);
  let path: string;
  try {
    path = decodeURIComponent(pathname === '/' ? '/index.html' : pathname);
  } catch {
    return null;
  }
  if (path.includes('\0') || path.includes('\\')) return null;
  const root = join(rendererDir, sep);
  const file = join(root, path);
  return file.startsWith(root) ? file : null;
}
