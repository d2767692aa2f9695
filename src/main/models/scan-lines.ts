import type { ModelOwner } from '../../shared/models';
import type { ReadFolder } from './model-folder';

/** The protocol of host and scan process: one request, then lines of JSON (`ScanLine`). */

export interface ScanRequest {
  home: string;
  /** Variables that say where models are, such as `HF_HOME`, and those that their values may contain. */
  env: Readonly<Record<string, string | undefined>>;
  /** False: no server of ours loads models, so only Ollama's folders are scanned. */
  loadable: boolean;
  /** The small model's folder; null = missing. */
  small: string | null;
  /** Folders that the user added. */
  folders: readonly string[];
  /** Model folders, or names of models, from the settings. */
  direct: readonly string[];
  /** Places that did not respond; they are not accessed. */
  skip: readonly string[];
  /** Stamps of the models that the host knows, by `keyOf`; an unchanged model is not read again. */
  known: Readonly<Record<string, string>>;
}

/** One model folder under one name. */
export interface ScanEntry {
  key: string;
  stamp: string;
  /** Null = unchanged, the host knows it. */
  read: ReadFolder | null;
}

export type ScanLine =
  /** The place that is scanned or skipped from here on. */
  | { type: 'place'; path: string; skipped: boolean; owner: ModelOwner }
  /** A folder in which a new model would appear; it is about to be read. */
  | { type: 'folder'; path: string }
  | { type: 'entry'; entry: ScanEntry }
  /** Free on the disk of the Hugging Face cache; null = unknown. */
  | { type: 'disk'; freeBytes: number | null }
  | { type: 'end' };

export function keyOf(path: string, name: string): string {
  return `${name}\0${path}`;
}

/** The path in a key. No name and no path contains a zero byte. */
export function pathIn(key: string): string {
  return key.slice(key.indexOf('\0') + 1);
}
