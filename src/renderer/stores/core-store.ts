import { create } from 'zustand';
import type { Snapshot } from '../../shared/contract';
import { addBackendNames } from '../i18n/backend-name';
import type { Picture } from './revision';
import { addSample, type Sample } from './samples';

/** `refused`: Tandem answers but rejects this page, because its token is wrong or missing. */
export type Connection = 'connecting' | 'online' | 'lost' | 'refused';

interface CoreState extends Picture {
  connection: Connection;
  /** The last minutes of memory and queue, for the charts. */
  history: readonly Sample[];
}

/** The UI's copy of the core's state. Only `connect.ts` writes it. */
export const useCore = create<CoreState>(() => ({
  connection: 'connecting',
  revision: 0,
  snapshot: null,
  history: [],
}));

/** Stores a new picture and adds its memory and queue to the chart history. */
export function showPicture(picture: Picture, now: number): void {
  useCore.setState((state) => {
    const { snapshot } = picture;
    if (snapshot && snapshot.instances !== state.snapshot?.instances) addBackendNames(snapshot.instances);
    const unchanged =
      snapshot?.memory === state.snapshot?.memory && snapshot?.queue === state.snapshot?.queue;
    const history = snapshot && !unchanged ? addSample(state.history, snapshot, now) : state.history;
    return { ...picture, history };
  });
}

export function setConnection(connection: Connection): void {
  useCore.setState({ connection });
}

/** Selects a part of the snapshot; undefined until the first one arrives. */
export function usePart<K extends keyof Snapshot>(key: K): Snapshot[K] | undefined {
  return useCore((state) => state.snapshot?.[key]);
}
