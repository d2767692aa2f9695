import type { BackendId } from '../../shared/domain';
import type { Account } from './ledger';
import type { ModelNeeds } from './model-needs';

/** Why memory is asked for. */
export type Purpose =
  /** Somebody waits for an answer. */
  | 'request'
  /** A model is to be ready before anybody asks. */
  | 'preload'
  /** A server that died of memory comes back with its model. */
  | 'restart';

/** What wants memory. */
export interface MemoryWish {
  backend: BackendId;
  model: string;
  purpose: Purpose;
  needs: ModelNeeds;
  /** Prompt and answer together. */
  tokens: number;
  /** Seconds that it is expected to take; null = unknown. */
  expectedS: number | null;
  /** Another server or model stands ready for the work. */
  mayMove: boolean;
  /** The user said "try anyway". */
  overruled: boolean;
}

/** A model that is to be unloaded. */
export interface Evicted {
  backend: BackendId;
  model: string;
}

/** Rules that refuse, as machine words. */
export type RefusalRule = 'critical' | 'working_set' | 'buffer_limit' | 'preload';
/** `busy`: another model answers or is being loaded; `protect`: a server that dies of memory is answering. */
export type WaitRule = 'busy' | 'protect' | 'critical' | 'working_set';

/** Bytes that a decision was about; null = unknown. */
interface Sum {
  neededBytes: number | null;
  freeBytes: number | null;
}

/** What the guard says to a wish. */
export type Decision =
  | { kind: 'admit'; promiseBytes: number | null }
  | ({ kind: 'wait'; rule: WaitRule } & Sum)
  /** Unload these, then ask again. */
  | ({ kind: 'evict'; models: Evicted[]; rule: 'critical' | 'working_set' } & Sum)
  | ({ kind: 'refuse'; rule: RefusalRule } & Sum);

/** What the guard knows of the moment. */
export interface GuardView {
  account: Account;
  /** Memory has been critical and has not really come back (`pressure-latch.ts`). */
  critical: boolean;
  /** `Clock.now` in ms, as `lastUsedAt` of models. */
  now: number;
}
