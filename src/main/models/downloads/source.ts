import type { Lookup } from '../../../shared/models';

/** Bytes over all files of a model that the source has listed so far. */
export interface DownloadProgress {
  /** The source's own name of the step. */
  step: string;
  completedBytes: number;
  totalBytes: number | null;
}

/** What a source knows of a name. `fit` is rated from the last three fields. */
export interface Found
  extends Pick<Lookup, 'sizeBytes' | 'billions' | 'contextLength' | 'licence' | 'gated' | 'refused'> {
  /** The source's own name of it; absent = it is known under the name that was looked up. */
  name?: string;
  /** Bytes of the weights alone; null = unknown. */
  weightsBytes: number | null;
  kvBytesPerToken?: number;
}

/** `coming`: it is being set up or started, so a download waits for it; `down`: a download would fail now. */
export type Readiness = 'ready' | 'coming' | 'down';

/** Where the models of one backend come from. */
export interface DownloadSource {
  /** Throws `bad_model_name` for a name that cannot be one of its models. */
  check(name: string): void;
  readiness(): Readiness;
  /**
   * Downloads a model, or continues. Rejects with a `TandemError`. An abort stops it; rejects when nothing is written
   * any more. What has arrived stays. `onName` gets the source's own name, before anything is written under it.
   */
  pull(
    name: string,
    options: { insecure: boolean; onName?: (name: string) => void },
    onProgress: (progress: DownloadProgress) => void,
    signal: AbortSignal,
  ): Promise<void>;
  /** Removes what an unfinished download has left. Absent = the source has no way to do so. */
  discard?(name: string): Promise<void>;
  /** Asks what a name stands for, without downloading it. Rejects with a `TandemError`. */
  lookUp(name: string, signal: AbortSignal): Promise<Found>;
}
