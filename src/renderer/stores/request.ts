import i18next from 'i18next';
import type { Bridge, CallInput, CallName, CallOutput } from '../../shared/contract';
import { createWebBridge } from '../bridge/web-bridge';
import { errorWords, type Trouble } from '../i18n/core-words';
import { showToast } from './ui-store';

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

export type CallResult<T> = { ok: true; value: T } | { ok: false; error: Trouble };

/** Calls the core. Never throws: a lost connection is a failure with the code `disconnected`. */
export async function request<N extends CallName>(
  name: N,
  input: CallInput<N>,
): Promise<CallResult<CallOutput<N>>> {
  try {
    return await getBridge().call(name, input);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { ok: false, error: { code: 'disconnected', message } };
  }
}

/** The sentence for an error in the UI's language; the core's own words if there is none. */
export function errorSentence(error: Trouble): string {
  return errorWords(error, i18next.t);
}

/** Calls the core and shows a failure as a toast. Returns true on success. */
export async function perform<N extends CallName>(name: N, input: CallInput<N>): Promise<boolean> {
  const outcome = await request(name, input);
  if (!outcome.ok) showToast({ text: errorSentence(outcome.error), tone: 'error' });
  return outcome.ok;
}
