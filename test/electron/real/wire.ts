import type { Caller, Envelope, Push } from '../../../src/shared/contract';

/** What Electron's process asks of the core's process; each question has an answer with its id. */
export type Question =
  | { ask: 'assemble'; locale: string }
  | { ask: 'start' | 'resume' | 'close' }
  | { ask: 'call'; name: string; input: unknown; caller: Caller };

export type ToCore = Question & { id: number };

export type FromCore =
  | { is: 'answer'; id: number; outcome: Envelope<unknown> }
  | { is: 'push'; push: Push }
  | { is: 'openExternal'; url: string }
  | { is: 'showFolder'; path: string }
  | { is: 'hideWindow' | 'quit' };
