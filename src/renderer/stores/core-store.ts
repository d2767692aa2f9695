import { create } from 'zustand';
import type { Snapshot } from '../../shared/contract';
import type { Picture } from './revision';
import { addSample, type Sample } from './samples';

/** `refused`: Tandem answers, but not this page, whose token is wrong or gone. */
export type Connection = 'connecting' | 'online' | 'lost' | 'refused';

interface CoreState extends Picture {
  connection: Connection;
  /** The last minutes of memory and queue, for the charts. */
  history: readonly Sample[];
}

/** The UI's copy of the core's picture. Only `connect.ts` writes it. */
export const useCore = create<CoreState>(() => ({
  connection: 'connecting',
  revision: 0,
  snapshot: null,
  history: [],
}));

/** Takes over a new picture and remembers its memory and queue for the charts. */
export function showPicture(picture: Picture, now: number): void {
  useCore.setState((state) => {
    const { snapshot } = picture;
    const unchanged =
      snapshot?.memory === state.snapshot?.memory && snapshot?.queue === state.snapshot?.queue;
    const history = snapshot && !unchanged ? addSample(state.history, snapshot, now) : state.history;
    return { ...picture, history };
  });
}

export function setConnection(connection: Connection): void {
  useCore.setState({ connection });
}

/** Selects a part of the snapshot; `fallback` stands in until the first one has come. */
export function usePart<K extends keyof Snapshot>(key: K): Snapshot[K] | undefined {
  return useCore((state) => state.snapshot?.[key]);
}
