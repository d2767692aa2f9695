import { parentPort, workerData } from 'node:worker_threads';
import { serveStore } from './store-server';

/** Entry of the worker thread that owns the database: no query ever runs on the main thread. */
const port = parentPort;
if (!port) throw new Error('store-worker runs as a worker thread only');
const answer = serveStore(workerData, new Date(), (message) => port.postMessage(message));
port.on('message', answer);
