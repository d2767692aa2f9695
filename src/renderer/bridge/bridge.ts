import type { Bridge } from '../../shared/contract';
import { createWebBridge } from './web-bridge';

declare global {
  interface Window {
    /** Set by the preload script; absent in a browser. */
    tandem?: Bridge;
  }
}

let bridge: Bridge | null = null;

/** The connection to the core: Electron's IPC if the preload script offers it, else HTTP. One per page. */
export function getBridge(): Bridge {
  bridge ??= window.tandem ?? createWebBridge(window);
  return bridge;
}
