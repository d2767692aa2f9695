import { contextBridge, type IpcRendererEvent, ipcRenderer } from 'electron';
import { CALL_CHANNEL, PUSH_CHANNEL } from '../shared/channels';
import type { Bridge, CallName, Push } from '../shared/contract';

/** Every call of the contract; a missing one is a compile error. */
const CALLS: Record<CallName, true> = {
  snapshot: true,
  chatOpen: true,
  chatSend: true,
  chatStop: true,
  chatRetry: true,
  chatEdit: true,
  chatRename: true,
  chatDelete: true,
  chatRestore: true,
  chatSearch: true,
  settingsSet: true,
  settingsReset: true,
  queueCancel: true,
  incidentReport: true,
  backendRestart: true,
  modelsRescan: true,
  modelLoad: true,
  modelUnload: true,
  memoryFree: true,
  modelUse: true,
  modelContext: true,
  modelDeletePlan: true,
  modelDelete: true,
  modelReveal: true,
  modelLookup: true,
  downloadStart: true,
  downloadPause: true,
  downloadCancel: true,
  downloadDismiss: true,
  hubTokenSet: true,
  hubTokenState: true,
  firstStartDone: true,
  runtimesList: true,
  runtimesRemove: true,
  setupRetry: true,
  setupCancel: true,
  removeSmallModel: true,
  openExternal: true,
  hideWindow: true,
  quit: true,
};

const bridge: Bridge = {
  call: (name, input) =>
    Object.hasOwn(CALLS, name)
      ? ipcRenderer.invoke(CALL_CHANNEL, name, input)
      : Promise.reject(new TypeError('no such call')),
  subscribe: (listener) => {
    // The page gets only the value: the event would expose the sender.
    const relay = (_event: IpcRendererEvent, push: Push) => listener(push);
    ipcRenderer.on(PUSH_CHANNEL, relay);
    return () => void ipcRenderer.removeListener(PUSH_CHANNEL, relay);
  },
  // IPC exists as long as both processes do.
  onConnection: () => () => {},
};

contextBridge.exposeInMainWorld('tandem', bridge);
