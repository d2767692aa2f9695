import type { Bridge } from '../../shared/contract';
import { createWebBridge } from './web-bridge';

declare global {
  interface Window {
    /** Put there by the preload; absent in a browser. */
    tandem?: Bridge;
  }
}

let bridge: Bridge | null = null;

/** The line to the core: Electron's IPC where the preload offers it, else HTTP. One per page. */
export function getBridge(): Bridge {
  bridge ??= window.tandem ?? createWebBridge(window);
  return bridge;
}
