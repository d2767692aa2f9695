/** Loaded into the headless host by `--import`: a promise that nobody waits for rejects at each SIGUSR2. */
import { isMainThread } from 'node:worker_threads';

if (isMainThread) process.on('SIGUSR2', () => void Promise.reject(new Error('stray')));
