import { toTandemError } from '../../shared/errors';
import type { Shell } from '../core/place';
import { openHttpsLink } from './security';
import { ElectronShell, type ElectronShellOptions, prepareElectron, type RunningCore } from './shell';
import { shellStrings } from './strings';

/** A host started by another process ends with it; checked at this interval, ms. */
const PARENT_CHECK_MS = 2_000;

export interface AppOptions extends ElectronShellOptions {
  /** Folder for Chromium's own files; one instance runs per folder. */
  userDataDir: string;
  /** Throws if the data folder belongs to another program: Chromium must not write there either. */
  checkDataFolder: () => void;
  /** Creates the core with the shell; called once, when Electron is ready and knows the locale. */
  assemble: (shell: Shell, locale: string) => Promise<RunningCore>;
  process: Pick<NodeJS.Process, 'on' | 'ppid'>;
}

/**
 * Runs the desktop app: one instance only, the shell before the core starts (so that set-up shows its progress). If the
 * core cannot start, shows the error in a dialog and exits with status 1.
 */
export async function runApp(options: AppOptions): Promise<void> {
  const { electron } = options;
  const { app } = electron;
  try {
    options.checkDataFolder();
  } catch (thrown) {
    await app.whenReady();
    return endWith(electron, thrown);
  }
  app.setPath('userData', options.userDataDir);
  prepareElectron(electron);
  if (!app.requestSingleInstanceLock()) return app.exit(0);
  let shell: ElectronShell | null = null;
  const quit = (exitCode: number) => (shell ? shell.quit(exitCode) : app.exit(exitCode));
  options.process.on('SIGTERM', () => quit(0));
  options.process.on('SIGINT', () => quit(130));
  await app.whenReady();
  app.dock?.hide();
  if (!app.isPackaged) endWithParent(options, () => quit(0));
  let running: RunningCore | null = null;
  try {
    const hostSide: Shell = {
      openExternal: (url) => openHttpsLink(electron.shell, url),
      showFolder: async (path) => electron.shell.showItemInFolder(path),
      hideWindow: () => shell?.hideWindow(),
      quit: () => quit(0),
    };
    running = await options.assemble(hostSide, app.getLocale());
    shell = new ElectronShell(options, running);
    await shell.open();
    if (!app.getLoginItemSettings().wasOpenedAtLogin) shell.showWindow();
    await running.core.start();
  } catch (thrown) {
    const error = toTandemError(thrown);
    running?.logger.error('the app cannot start', { code: error.code });
    await running?.close();
    endWith(electron, error);
  }
}

function endWith({ app, dialog }: AppOptions['electron'], thrown: unknown): void {
  dialog.showErrorBox(shellStrings('system', app.getLocale()).cannotStart, toTandemError(thrown).message);
  app.exit(1);
}

/** Ends an app whose starting process has ended, as nothing else would stop it; a packaged app has no such process. */
function endWithParent({ process, clock }: AppOptions, end: () => void): void {
  const parent = process.ppid;
  const stop = clock.every(PARENT_CHECK_MS, () => {
    if (process.ppid === parent) return;
    stop();
    end();
  });
}
