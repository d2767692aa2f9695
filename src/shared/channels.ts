/** The two IPC channels between `preload/index.ts` and `main/electron/` (`ipc-binder.ts`, `popover.ts`); the contract defines everything else. */
export const CALL_CHANNEL = 'tandem:call';
export const PUSH_CHANNEL = 'tandem:push';
