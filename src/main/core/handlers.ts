import { join } from 'node:path';
import type { Handlers } from '../../shared/contract';
import { TandemError } from '../../shared/errors';
import { SETUP_PARTS } from '../../shared/status';
import type { BackendRegistry } from '../backends/registry';
import { type ChatService, UNDO_MS } from '../chat/chat-service';
import type { Incidents } from '../incidents/incidents';
import type { SmallModel } from '../models/small-model';
import type { RequestQueue } from '../queue/request-queue';
import { isUsed, type RuntimeMarks } from '../setup/runtime-marks';
import { listRuntimes, removeRuntime } from '../setup/runtimes';
import type { SetupRunner } from '../setup/setup-runner';
import type { Store } from '../store/types';
import { type DownloadParts, downloadHandlers } from './download-handlers';
import { type ModelHandlerParts, modelHandlers } from './model-handlers';
import type { Place } from './place';
import type { Projection } from './projection';

export interface HandlerParts extends ModelHandlerParts, DownloadParts {
  projection: Projection;
  chat: ChatService;
  queue: RequestQueue;
  store: Store;
  registry: BackendRegistry;
  incidents: Incidents;
  setup: SetupRunner;
  smallModel: SmallModel;
  runtimeMarks: RuntimeMarks;
  place: Place;
}

/** Binds the contract to the services. No logic here. */
export function createHandlers(parts: HandlerParts): Handlers {
  const {
    projection,
    chat,
    queue,
    incidents,
    store,
    settings,
    registry,
    setup,
    smallModel,
    runtimeMarks,
    place,
    shell,
  } = parts;
  return {
    ...modelHandlers(parts),
    ...downloadHandlers(parts),
    snapshot: async () => projection.snapshot(),

    chatOpen: async ({ chatId }) => ({ messages: await chat.open(chatId) }),
    chatSend: async ({ chatId, text, target, newId }) => turn(await chat.send(chatId, text, target, newId)),
    chatStop: async ({ answerId }) => {
      chat.stop(answerId);
      return {};
    },
    chatRetry: async ({ answerId, target, overruleMemory = false }) => ({
      answerId: (await chat.retry(answerId, target, { overruleMemory })).id,
    }),
    chatEdit: async ({ messageId, text, target, newId }) =>
      turn(await chat.edit(messageId, text, target, newId)),
    chatRename: async ({ chatId, title }) => {
      await chat.rename(chatId, title);
      return {};
    },
    chatDelete: async ({ chatId }) => {
      await chat.remove(chatId);
      return { undoMs: UNDO_MS };
    },
    chatRestore: async ({ chatId }) => {
      await chat.restore(chatId);
      return {};
    },
    chatSearch: async ({ query }) => ({ chats: await store.searchChats(query) }),

    settingsSet: async ({ key, value }) => {
      await settings.set(key, value);
      return {};
    },
    settingsReset: async ({ key }) => {
      await settings.reset(key);
      return {};
    },

    queueCancel: async ({ id }) => {
      if (!queue.cancel(id)) throw new TandemError('not_found', 'This request has ended already.');
      return {};
    },
    incidentReport: async ({ id }) => ({ text: await incidents.report(id) }),

    backendRestart: async ({ backend }) => {
      // Returns without waiting for the server: its stages are pushed.
      const server = registry.find(backend);
      if (!server) throw new TandemError('not_found', `There is no server ${backend}.`);
      // The missing program may exist by now; set-up starts the server once it has found or installed it.
      if (server.status().state === 'absent') void setup.run();
      void server.restart('user');
      return {};
    },

    runtimesList: async () => {
      const inUse = [...runtimePaths(setup), ...(await runtimeMarks.others())];
      return { runtimes: await listRuntimes(place.runtimeDir, inUse) };
    },
    runtimesRemove: async ({ name, version }) => {
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
      return {};
    },
    setupRetry: async ({ part }) => {
      void setup.run(part && [part]);
      return {};
    },
    setupCancel: async ({ part }) => {
      await setup.cancel(part);
      return {};
    },
    removeSmallModel: async () => {
      await smallModel.remove();
      return {};
    },

    openExternal: async ({ url }) => {
      if (new URL(url).protocol !== 'https:') {
        throw new TandemError('unsupported', 'Only https links are opened. Copy the address instead.');
      }
      await shell.openExternal(url);
      return {};
    },
    hideWindow: async () => {
      shell.hideWindow();
      return {};
    },
    quit: async () => {
      shell.quit();
      return {};
    },
  };
}

function turn({ user, answer }: Awaited<ReturnType<ChatService['send']>>) {
  return { chatId: user.chatId, userMessageId: user.id, answerId: answer.id };
}

function runtimePaths(setup: SetupRunner): string[] {
  return setup.parts().flatMap((part) => (part.path ? [part.path] : []));
}
