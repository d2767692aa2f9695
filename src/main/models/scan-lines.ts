import type { ReadFolder } from './model-folder';

/** What the host and the scan's process say to each other: one request, then one line of JSON for each of these. */

export interface ScanRequest {
  home: string;
  /** `HF_HOME`, `HF_HUB_CACHE`, `OLLAMA_MODELS`, as far as they are set. */
  env: Readonly<Record<string, string | undefined>>;
  /** Are models of MLX looked for at all? Else only Ollama's folders are. */
  mlx: boolean;
  /** The small model's folder; null = it is not there. */
  small: string | null;
  /** Folders that the user added. */
  folders: readonly string[];
  /** Model folders, or names of models, from the settings. */
  direct: readonly string[];
  /** Places that did not answer; they are not touched. */
  skip: readonly string[];
  /** Stamps of the models that the host knows, by `keyOf`; one that has not changed is not read again. */
  known: Readonly<Record<string, string>>;
}

/** One model folder under one name. */
export interface ScanEntry {
  key: string;
  stamp: string;
  /** Null = as the host knows it. */
  read: ReadFolder | null;
}

export type ScanLine =
  /** The place that is looked at from now on, or is skipped. */
  | { type: 'place'; path: string; skipped: boolean }
  /** A folder in which something new would show; it is about to be read. */
  | { type: 'folder'; path: string }
  | { type: 'entry'; entry: ScanEntry }
  | { type: 'end' };

export function keyOf(path: string, name: string): string {
  return `${name}\n${path}`;
}
