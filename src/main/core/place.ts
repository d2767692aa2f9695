import type { ContainerHost } from '../setup/container-host';

/** Where this instance runs and what it may use; constant while it runs. */
export interface Place {
  version: string;
  host: 'electron' | 'headless';
  platform: NodeJS.Platform;
  /** Language of the system, such as `en-GB`. */
  locale: string;
  /** The processor's name, such as `Apple M4 Pro`; null = unknown. */
  chip: string | null;
  home: string;
  dataDir: string;
  /** The `resources/` folder (packaged: next to the program). */
  resourcesDir: string;
  /** Managed runtimes, shared by all data folders. */
  runtimeDir: string;
  env: Readonly<Record<string, string | undefined>>;
  /** Random per run; identifies our own listeners under any address. */
  instanceId: string;
  /** A Node that runs the set-up scripts. */
  node: string;
  /** Servers outside our container, if we are in one. */
  containerHost: ContainerHost;
  /** The set-up may install missing build headers where it can. */
  systemPackages: boolean;
}

/** Actions that only the host can do for the UI. */
export interface Shell {
  openExternal(url: string): Promise<void>;
  /** Shows a folder in the file manager. Rejects with `not_supported` where there is none. */
  showFolder(path: string): Promise<void>;
  hideWindow(): void;
  quit(): void;
}
