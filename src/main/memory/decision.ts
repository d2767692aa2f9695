import type { BackendId } from '../../shared/domain';
import type { Account } from './ledger';
import type { ModelNeeds } from './model-needs';

/** Why memory is requested. */
export type Purpose =
  /** Somebody waits for an answer. */
  | 'request'
  /** A model is loaded before any request needs it. */
  | 'preload'
  /** A server that died of memory restarts with its model. */
  | 'restart';

/** A request for memory. */
export interface MemoryWish {
  backend: BackendId;
  model: string;
  purpose: Purpose;
  needs: ModelNeeds;
  /** Prompt and answer together. */
  tokens: number;
  /** Tokens of the context that the model is loaded with; a server that reserves it takes memory for all of them. */
  contextTokens?: number | undefined;
  /** Expected duration in seconds; null = unknown. */
  expectedS: number | null;
  /** Another server or model can do the work. */
  mayMove: boolean;
  /** The user said "try anyway". */
  overruled: boolean;
}

/** A model to unload. */
export interface Evicted {
  backend: BackendId;
  model: string;
}

/** Rules that refuse, as machine words. */
export type RefusalRule = 'critical' | 'working_set' | 'buffer_limit' | 'preload';
/** `busy`: another model answers or is being loaded; `protect`: a server that dies of memory is answering. */
export type WaitRule = 'busy' | 'protect' | 'critical' | 'working_set';

/** Bytes that a decision is based on; null = unknown. */
interface Sum {
  neededBytes: number | null;
  freeBytes: number | null;
}

/** The guard's answer to a wish. */
export type Decision =
  | { kind: 'admit'; promiseBytes: number | null }
  | ({ kind: 'wait'; rule: WaitRule } & Sum)
  /** Unload these, then ask again. */
  | ({ kind: 'evict'; models: Evicted[]; rule: 'critical' | 'working_set' } & Sum)
  | ({ kind: 'refuse'; rule: RefusalRule } & Sum);

/** The guard's input: the state at this moment. */
export interface GuardView {
  account: Account;
  /** Memory was critical and has not recovered (`pressure-latch.ts`). */
  critical: boolean;
  /** `Clock.now` in ms, the same clock as `lastUsedAt` of models. */
  now: number;
}
