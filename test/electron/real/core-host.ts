import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { version } from '../../../package.json';
import { callHandler, failure } from '../../../src/main/contract/binder';
import { type Assembled, assemble } from '../../../src/main/core/assemble';
import type { Envelope } from '../../../src/shared/contract';
import { toTandemError } from '../../../src/shared/errors';
import type { FromCore, Question, ToCore } from './wire';

/**
 * The real core in a Node of its own, for an Electron that is too old to run it. It does what `src/main/index.ts` does
 * in Electron's process, and ends with that process.
 */

const ROOT = process.cwd();
let assembling: Promise<Assembled> | null = null;

const tell = (message: FromCore) => {
  if (process.connected) process.send?.(message);
};

function assembleHere(locale: string): Promise<Assembled> {
  return assemble({
    host: 'electron',
    version,
    locale,
    resourcesDir: join(ROOT, 'resources'),
    storeWorker: pathToFileURL(join(ROOT, 'out', 'main', 'store-worker.js')),
    node: process.execPath,
    scanScript: join(ROOT, 'out', 'main', 'scan-child.js'),
    systemPackages: false,
    json: false,
    cipher: null,
    shell: {
      openExternal: async (url) => tell({ is: 'openExternal', url }),
      showFolder: async (path) => tell({ is: 'showFolder', path }),
      hideWindow: () => tell({ is: 'hideWindow' }),
      quit: () => tell({ is: 'quit' }),
    },
  });
}

async function answerTo(question: Question): Promise<Envelope<unknown>> {
  const value = {};
  try {
    if (question.ask === 'assemble') {
      assembling = assembleHere(question.locale);
      (await assembling).core.onPush((push) => tell({ is: 'push', push }));
      return { ok: true, value };
    }
    const app = await assembling;
    if (!app) throw new Error('nothing is assembled');
    const { core, logger } = app;
    if (question.ask === 'call') {
      const { name, input, caller } = question;
      return await callHandler(core.handlers, name, input, caller, { logger, checkOutput: true });
    }
    if (question.ask === 'start') await core.start();
    else if (question.ask === 'resume') core.resume();
    else await app.close();
    return { ok: true, value };
  } catch (thrown) {
    return failure(toTandemError(thrown));
  }
}

process.on('message', async (message) => {
  const question = message as ToCore;
  tell({ is: 'answer', id: question.id, outcome: await answerTo(question) });
  if (question.ask === 'close') process.disconnect();
});
process.on('disconnect', () => void assembling?.then((app) => app.close()).catch(() => {}));
