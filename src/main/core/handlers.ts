import { join } from 'node:path';
import type { Handlers } from '../../shared/contract';
import { TandemError } from '../../shared/errors';
import { SETUP_PARTS } from '../../shared/status';
import { type ChatService, UNDO_MS } from '../chat/chat-service';
import { isUsed } from '../setup/runtime-marks';
import { listRuntimes, removeRuntime } from '../setup/runtimes';
import type { SettingsStore } from '../store/settings-store';
import type { Store } from '../store/types';
import { downloadHandlers } from './download-handlers';
import { modelHandlers } from './model-handlers';
import type { Place, Shell } from './place';
import type { Projection } from './projection';
import type { Services } from './services';

interface HandlerParts extends Services {
  projection: Projection;
  store: Store;
  settings: SettingsStore;
  place: Place;
  shell: Shell;
}

/** Binds the contract to the services. No logic here. */
export function createHandlers(parts: HandlerParts): Handlers {
  const { projection, chat, queue, incidents, store, settings, registry } = parts;
  const { setup, smallModel, runtimeMarks, place, shell } = parts;
  return {
    ...modelHandlers(parts),
    ...downloadHandlers(parts),
    snapshot: async () => projection.snapshot(),

    chatOpen: async ({ chatId }) => ({ messages: await chat.open(chatId) }),
    chatSend: async ({ chatId, text, target, newId }) => turn(await chat.send(chatId, text, target, newId)),
    chatStop: done(({ answerId }) => chat.stop(answerId)),
    chatRetry: async ({ answerId, target, overruleMemory = false }) => ({
      answerId: (await chat.retry(answerId, target, { overruleMemory })).id,
    }),
    chatEdit: async ({ messageId, text, target, newId }) =>
      turn(await chat.edit(messageId, text, target, newId)),
    chatRename: done(({ chatId, title }) => chat.rename(chatId, title)),
    chatDelete: async ({ chatId }) => {
      await chat.remove(chatId);
      return { undoMs: UNDO_MS };
    },
    chatRestore: done(({ chatId }) => chat.restore(chatId)),
    chatSearch: async ({ query }) => ({ chats: await store.searchChats(query) }),

    settingsSet: done(({ key, value }) => settings.set(key, value)),
    settingsReset: done(({ key }) => settings.reset(key)),

    queueCancel: done(({ id }) => {
      if (!queue.cancel(id)) throw new TandemError('not_found', 'This request has ended already.');
    }),
    incidentReport: async ({ id }) => ({ text: await incidents.report(id) }),

    backendRestart: done(({ backend }) => {
      // Returns without waiting for the server: its stages are pushed.
      const server = registry.find(backend);
      if (!server) throw new TandemError('not_found', `There is no server ${backend}.`);
      // The missing program may exist by now; set-up starts the server once it has found or installed it.
      if (server.status().state === 'absent') void setup.run();
      void server.restart('user');
    }),

    runtimesList: async () => {
      const inUse = [...runtimePaths(setup), ...(await runtimeMarks.others())];
      return { runtimes: await listRuntimes(place.runtimeDir, inUse) };
    },
    runtimesRemove: done(async ({ name, version }) => {
      const backend = registry.find(name);
      const part = SETUP_PARTS.find((one) => one === name);
      const { runtimeDir } = place;
      const folder = join(runtimeDir, `${name}-${version}`);
      await removeRuntime({ runtimeDir, name, version }, await runtimeMarks.others(), async () => {
        if (!backend || !part || !isUsed(folder, runtimePaths(setup))) return;
        setup.forget(part);
        await backend.release();
      });
      await runtimeMarks.forget(folder);
    }),
    setupRetry: done(({ part }) => void setup.run(part && [part])),
    setupCancel: done(({ part }) => setup.cancel(part)),
    removeSmallModel: done(() => smallModel.remove()),

    openExternal: done(async ({ url }) => {
      if (new URL(url).protocol !== 'https:') {
        throw new TandemError('unsupported', 'Only https links are opened. Copy the address instead.');
      }
      await shell.openExternal(url);
    }),
    hideWindow: done(() => shell.hideWindow()),
    quit: done(() => shell.quit()),
  };
}

/** A call whose result is only that it was done. */
function done<I>(run: (input: I) => unknown): (input: I) => Promise<Record<string, never>> {
  return async (input) => {
    await run(input);
    return {};
  };
}

function turn({ user, answer }: Awaited<ReturnType<ChatService['send']>>) {
  return { chatId: user.chatId, userMessageId: user.id, answerId: answer.id };
}

function runtimePaths(setup: Services['setup']): string[] {
  return setup.parts().flatMap((part) => (part.path ? [part.path] : []));
}
