/** Names of the two IPC channels between preload and main; everything else is in the contract. */
export const CALL_CHANNEL = 'tandem:call';
export const PUSH_CHANNEL = 'tandem:push';
