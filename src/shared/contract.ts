import { z } from 'zod';
import { backendId, backendInstanceSchema } from './backend-schema';
import { ANSWER_STATUSES, answerMetaSchema, chatSummarySchema, messageSchema, targetSchema } from './chat';
import { CATEGORIES } from './domain';
import { lifeEventSchema } from './incidents';
import {
  deletePlanSchema,
  downloadSchema,
  firstStartSchema,
  lookupSchema,
  MODEL_OWNERS,
  modelViewSchema,
} from './models';
import { SETTING_KEYS, settingsViewSchema } from './settings';
import {
  backendStatusSchema,
  detailsSchema,
  ledgerSchema,
  memoryStatusSchema,
  modelTimesSchema,
  queueStatusSchema,
  SETUP_PARTS,
  setupPartSchema,
} from './status';

/**
 * The only contract between the core and a UI. The IPC binder, the web host, the preload and the UI's types all derive
 * from `contract`; adding a call here without a handler is a compile error.
 */

const nothing = z.object({}).strict();
const id = z.string().min(1).max(80);
/** May be a client's own id of up to 128 characters, with a suffix that makes it unique. */
const requestId = z.string().min(1).max(200);
const modelName = z.string().min(1).max(300);
/** One line of visible ASCII, as a header can have it. */
const hubToken = z
  .string()
  .trim()
  .min(8)
  .max(500)
  .regex(/^[!-~]+$/);
const model = z.object({ backend: backendId, name: modelName });

export const runtimeSchema = z.object({
  name: z.string(),
  version: z.string(),
  sizeBytes: z.number(),
  /** The running app still uses it. */
  inUse: z.boolean(),
});
export type Runtime = z.infer<typeof runtimeSchema>;

/** Something that the user should know: its code, a sentence, and facts for the UI's own sentence. */
export const warningSchema = z.object({
  code: z.string(),
  message: z.string(),
  details: detailsSchema.optional(),
});
export type Warning = z.infer<typeof warningSchema>;

export const appInfoSchema = z.object({
  version: z.string(),
  host: z.enum(['electron', 'headless']),
  platform: z.string(),
  locale: z.string(),
  gatewayUrl: z.string().nullable(),
  mlxApiUrl: z.string().nullable(),
  dataDir: z.string(),
});

/** The UI's whole state; pushes replace its parts one by one. */
export const snapshotSchema = z.object({
  app: appInfoSchema,
  /** All backends of this run, in the order of preference; those that are switched off have no status. */
  instances: z.array(backendInstanceSchema),
  backends: z.array(backendStatusSchema),
  memory: memoryStatusSchema.nullable(),
  ledger: ledgerSchema.nullable(),
  queue: queueStatusSchema,
  /** Events of the servers, oldest first; limited in number. */
  life: z.array(lifeEventSchema),
  times: z.array(modelTimesSchema),
  models: z.array(modelViewSchema),
  /** Can any model other than the small one answer? */
  capable: z.boolean(),
  firstStart: firstStartSchema,
  /** Downloads of models: waiting, running and those that ended since the start. */
  downloads: z.array(downloadSchema),
  setup: z.array(setupPartSchema),
  settings: settingsViewSchema,
  chats: z.array(chatSummarySchema),
  warnings: z.array(warningSchema),
});
export type Snapshot = z.infer<typeof snapshotSchema>;

export const contract = {
  calls: {
    /** Current state with its revision; pushes with a higher revision follow. */
    snapshot: { input: nothing, output: z.object({ revision: z.number(), snapshot: snapshotSchema }) },

    chatOpen: { input: z.object({ chatId: id }), output: z.object({ messages: z.array(messageSchema) }) },
    /** Stores the message, then answers it; creates the chat if `chatId` is null. */
    chatSend: {
      input: z.object({
        chatId: id.nullable(),
        text: z.string().min(1).max(1_000_000),
        target: targetSchema,
        /** The sender's own id for the message: if sent again, it is stored and answered once. */
        newId: z.uuid().optional(),
      }),
      output: z.object({ chatId: id, userMessageId: id, answerId: id }),
    },
    chatStop: { input: z.object({ answerId: id }), output: nothing },
    /** Another answer to the same message, from the given target. */
    chatRetry: {
      input: z.object({
        answerId: id,
        target: targetSchema,
        /** The memory guard admits this request. */
        overruleMemory: z.boolean().optional(),
      }),
      output: z.object({ answerId: id }),
    },
    /** Removes the message and all that follow it, and sends the new text. */
    chatEdit: {
      input: z.object({
        messageId: id,
        text: z.string().min(1).max(1_000_000),
        target: targetSchema,
        /** As above, for the replacing message. */
        newId: z.uuid().optional(),
      }),
      output: z.object({ chatId: id, userMessageId: id, answerId: id }),
    },
    chatRename: { input: z.object({ chatId: id, title: z.string().min(1).max(200) }), output: nothing },
    /** Hides the chat; it is permanently erased after the undo time (10 s), or at the next start. */
    chatDelete: { input: z.object({ chatId: id }), output: z.object({ undoMs: z.number() }) },
    chatRestore: { input: z.object({ chatId: id }), output: nothing },
    chatSearch: {
      input: z.object({ query: z.string().max(200) }),
      output: z.object({ chats: z.array(chatSummarySchema) }),
    },

    settingsSet: { input: z.object({ key: z.enum(SETTING_KEYS), value: z.unknown() }), output: nothing },
    settingsReset: { input: z.object({ key: z.enum(SETTING_KEYS) }), output: nothing },

    /** Cancels a waiting or running request, as if its client had left. */
    queueCancel: { input: z.object({ id: requestId }), output: nothing },
    /** The report of one incident, to copy: cause, evidence codes, versions, settings changed; no message text. */
    incidentReport: { input: z.object({ id }), output: z.object({ text: z.string() }) },

    backendRestart: { input: z.object({ backend: backendId }), output: nothing },

    modelsRescan: { input: nothing, output: nothing },
    /** Loads a model now; resolves when it is loaded, rejects with the reason, such as the memory guard's. */
    modelLoad: { input: model, output: nothing },
    /** Unloads a model that no request uses; rejects with `busy` otherwise. */
    modelUnload: { input: model, output: nothing },
    /**
     * Unloads every model that no request uses, on a server that is not ours only those that Tandem loaded; how many,
     * and their bytes (null = unknown).
     */
    memoryFree: { input: nothing, output: z.object({ models: z.number(), bytes: z.number().nullable() }) },
    /** Uses a model for a category from now on; null = the best installed one again. */
    modelUse: {
      input: z.object({ backend: backendId, category: z.enum(CATEGORIES), name: modelName.nullable() }),
      output: nothing,
    },
    /** Pins the context length of a model, in tokens; null = what fits. */
    modelContext: {
      input: model.extend({ tokens: z.number().int().min(512).max(10_000_000).nullable() }),
      output: nothing,
    },
    modelDeletePlan: { input: model, output: deletePlanSchema },
    /** Deletes a model from disk. `owner` repeats the plan's owner, so that nothing is deleted from a place unseen. */
    modelDelete: { input: model.extend({ owner: z.enum(MODEL_OWNERS) }), output: nothing },
    /** Shows the model's folder in the file manager; rejects with `not_supported` in the browser. */
    modelReveal: { input: model, output: nothing },

    /** Asks the source of a model what a name stands for, before its download. */
    modelLookup: { input: model, output: lookupSchema },
    /** Starts or resumes a download; the outcome is in the snapshot. */
    downloadStart: { input: model.extend({ insecure: z.boolean().optional() }), output: nothing },
    downloadPause: { input: model, output: nothing },
    /** Cancels a download and removes what came of it. */
    downloadCancel: { input: model, output: nothing },
    /** Removes an ended download from the list. */
    downloadDismiss: { input: model, output: nothing },
    /** Keeps the token for gated repositories in the system's secret store; null removes it. */
    hubTokenSet: { input: z.object({ token: hubToken.nullable() }), output: nothing },
    hubTokenState: {
      input: nothing,
      output: z.object({ stored: z.boolean(), fromEnvironment: z.boolean() }),
    },

    /** The first-start screen is done, or is shown again. */
    firstStartDone: { input: z.object({ done: z.boolean() }), output: nothing },

    runtimesList: { input: nothing, output: z.object({ runtimes: z.array(runtimeSchema) }) },
    runtimesRemove: {
      input: z.object({ name: z.string().max(100), version: z.string().max(100) }),
      output: nothing,
    },
    /** Runs set-up again for all wanted parts, or for one. */
    setupRetry: { input: z.object({ part: z.enum(SETUP_PARTS).optional() }), output: nothing },
    /** Stops the download of the small model; the next start or `setupRetry` resumes it. */
    setupCancel: { input: z.object({ part: z.literal('model') }), output: nothing },
    /**
     * Deletes the small model from both servers and from disk and sets `smallModel` to false, so that it is not
     * downloaded again; setting it to true downloads it. In an Ollama that is not ours only if Tandem may create it
     * there.
     */
    removeSmallModel: { input: nothing, output: nothing },

    /** Opens a https link in the system's browser (Electron) or refuses (headless: the page opens it itself). */
    openExternal: { input: z.object({ url: z.url() }), output: nothing },
    hideWindow: { input: nothing, output: nothing },
    quit: { input: nothing, output: nothing },
  },
  pushes: {
    /** Parts of the snapshot have new values. Revisions rise by one; after a gap, request the snapshot. */
    patch: z.object({ revision: z.number(), patch: snapshotSchema.partial() }),
    /**
     * New text of an answer. `offset` is the length (UTF-16 units) of the text before it: a client that has more
     * ignores the overlap, and one that has less must open the chat again.
     */
    answerText: z.object({ answerId: id, chatId: id, offset: z.number(), text: z.string() }),
    /** Status or label of an answer changed; `length` is the current length of its text. */
    answerState: z.object({
      answerId: id,
      chatId: id,
      replyTo: id,
      status: z.enum(ANSWER_STATUSES),
      meta: answerMetaSchema,
      length: z.number(),
      at: z.number(),
    }),
    /** Messages of this chat were added or removed in another way; open it again. */
    chatChanged: z.object({ chatId: id }),
    /** The shell tells the UI to show a view (menu, Cmd-comma). */
    navigate: z.object({ view: z.enum(['chat', 'models', 'status', 'activity', 'settings']) }),
  },
} as const;

export type Contract = typeof contract;
export type CallName = keyof Contract['calls'];
export type CallInput<N extends CallName> = z.input<Contract['calls'][N]['input']>;
export type CallOutput<N extends CallName> = z.output<Contract['calls'][N]['output']>;
export type PushName = keyof Contract['pushes'];
export type PushPayload<N extends PushName> = z.output<Contract['pushes'][N]>;

/** What the core implements; both hosts bind it. */
export type Handlers = {
  [N in CallName]: (input: z.output<Contract['calls'][N]['input']>, caller: Caller) => Promise<CallOutput<N>>;
};
/** The caller, already checked by the host. */
export interface Caller {
  host: 'electron' | 'web';
}

export type Push = { [N in PushName]: { name: N; payload: PushPayload<N> } }[PushName];

/** The outcome of a call as it is sent between processes. */
export type Envelope<T> =
  | { ok: true; value: T }
  | { ok: false; error: { code: string; message: string; details: Record<string, unknown> } };

/** The UI's side, the same over IPC and over the web. */
export interface Bridge {
  call<N extends CallName>(name: N, input: CallInput<N>): Promise<Envelope<CallOutput<N>>>;
  /** Subscribes to all pushes; returns the unsubscribe function. */
  subscribe(listener: (push: Push) => void): () => void;
  /** Called when the connection to the core is lost and when it is back (never over IPC). */
  onConnection(listener: (connected: boolean) => void): () => void;
}
