import type { App, Session, Shell, WebContents, WebPreferences } from 'electron';
import { TandemError } from '../../shared/errors';
import { APP_ORIGIN, isAppUrl } from './app-protocol';

/**
 * Electron's security checklist, one function per item. Content is local only, and `app-protocol.ts` sends the content
 * policy with each page; `ipc-binder.ts` checks the sender of each call; fuses are set in package.json.
 */

/** Every renderer is sandboxed, whatever its window requests. */
export function enableSandbox(app: Pick<App, 'enableSandbox'>): void {
  app.enableSandbox();
}

/** No Node in the page, an isolated preload, no embedded guests, default web security. */
export function pagePreferences(preload: string, devTools: boolean): WebPreferences {
  return {
    preload,
    devTools,
    sandbox: true,
    contextIsolation: true,
    nodeIntegration: false,
    nodeIntegrationInWorker: false,
    nodeIntegrationInSubFrames: false,
    webviewTag: false,
    webSecurity: true,
    allowRunningInsecureContent: false,
    experimentalFeatures: false,
    navigateOnDragDrop: false,
    // The spell checker would download dictionaries.
    spellcheck: false,
  };
}

/** Applies the denials to every session: the default one, and those that a part of Electron may create. */
export function guardAllSessions(app: Pick<App, 'on'>): void {
  app.on('session-created', (session) => {
    denyPermissions(session);
    denyDownloads(session);
  });
}

/** Our own page may write to the clipboard; every other permission is denied. */
function denyPermissions(session: Session): void {
  const mayHave = (permission: string, origin: string) =>
    permission === 'clipboard-sanitized-write' && isAppUrl(origin);
  session.setPermissionRequestHandler((_contents, permission, answer, { requestingUrl }) =>
    answer(mayHave(permission, requestingUrl)),
  );
  session.setPermissionCheckHandler((_contents, permission, origin) => mayHave(permission, origin));
  session.setDevicePermissionHandler(() => false);
}

/** The page never navigates, not even to another page of ours. */
function denyNavigation(contents: WebContents): void {
  contents.on('will-navigate', (event) => event.preventDefault());
  contents.on('will-frame-navigate', (event) => event.preventDefault());
  contents.on('will-redirect', (event) => event.preventDefault());
}

/** Links are opened by a call to main, never in a window of ours. */
function denyNewWindows(contents: WebContents): void {
  contents.setWindowOpenHandler(() => ({ action: 'deny' }));
}

function denyWebviews(contents: WebContents): void {
  contents.on('will-attach-webview', (event) => event.preventDefault());
}

function denyDownloads(session: Session): void {
  session.on('will-download', (event) => event.preventDefault());
}

/** Applies the denials to every page that is ever created. */
export function guardAllPages(app: Pick<App, 'on'>): void {
  app.on('web-contents-created', (_event, contents) => {
    denyNavigation(contents);
    denyNewWindows(contents);
    denyWebviews(contents);
  });
}

/** Opens a https link in the system's browser; throws `unsupported` for any other link. */
export async function openHttpsLink(shell: Pick<Shell, 'openExternal'>, link: string): Promise<void> {
  const url = URL.parse(link);
  if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '') {
    throw new TandemError('unsupported', 'Only https links are opened. Copy the address instead.');
  }
  await shell.openExternal(url.href);
}

/** Is this the top frame of one of our own pages? */
export function isOwnFrame(frame: { url: string; parent: unknown } | null): boolean {
  return frame !== null && frame.parent === null && isAppUrl(frame.url);
}

export const START_PAGE = `${APP_ORIGIN}/index.html`;
