import type { Download } from '../../../shared/models';
import { usePart } from '../../stores/core-store';
import { shortModel } from '../backend-words';

interface ModelKey {
  backend: string;
  name: string;
}

const NONE: readonly Download[] = [];

/** All downloads since the start, in the order of the core. */
export function useDownloads(): readonly Download[] {
  return usePart('downloads') ?? NONE;
}

/** Whether two records are about the same model of the same server. */
export function isForModel(one: ModelKey, other: ModelKey): boolean {
  return one.backend === other.backend && one.name === other.name;
}

/** The download of a model, if there is one. */
export function useDownload(model: ModelKey): Download | undefined {
  return useDownloads().find((download) => isForModel(download, model));
}

/** Names of models for people: the catalogue's title, else the short form of the name. */
export function useTitles(): (model: ModelKey) => string {
  const suggestions = usePart('firstStart')?.suggestions ?? [];
  return (model) =>
    suggestions.find((suggestion) => isForModel(suggestion, model))?.title ?? shortModel(model.name);
}
