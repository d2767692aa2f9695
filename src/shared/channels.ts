/** Names of the two IPC channels between preload and main; the contract defines everything else. */
export const CALL_CHANNEL = 'tandem:call';
export const PUSH_CHANNEL = 'tandem:push';
