import type { PublishedModel } from './published-macs';
import type { Sample } from './samplers';
import type { SimRequest } from './trace';

/** Inputs of a decision: the late sample, and what the app itself has started. */
export interface Seen {
  /** Seconds. */
  now: number;
  totalBytes: number;
  sample: Sample | null;
  fragile: { model: PublishedModel | null; loading: PublishedModel | null; busy: boolean; alive: boolean };
  steady: { name: string; busy: boolean; lastUsedAt: number }[];
  promised: SimPromise[];
}

export interface SimPromise {
  server: 'fragile' | 'steady';
  model: string;
  bytes: number | null;
  load: boolean;
  /** Seconds. */
  since: number;
  heldBefore: number | null;
  /** Null while the load waits. */
  usedBefore: number | null;
}

export interface SimWish {
  server: 'fragile' | 'steady';
  model: PublishedModel;
  purpose: 'request' | 'preload' | 'restart';
  request: SimRequest | null;
  /** Learned from earlier runs, with a realistic error; null = never run. */
  expectedS: number | null;
}

export type Verdict =
  | { kind: 'admit'; promiseBytes: number | null }
  | { kind: 'wait'; neededBytes: number | null }
  | { kind: 'refuse' }
  | { kind: 'evict'; models: string[] };

/** Decides about memory in a simulation. */
export interface Policy {
  decide(wish: SimWish, seen: Seen): Verdict;
  /** Called with each new sample; returns the models to unload. */
  onSample(seen: Seen): string[];
}

/** Admits everything at once. */
export const unguarded: Policy = {
  decide: () => ({ kind: 'admit', promiseBytes: null }),
  onSample: () => [],
};
