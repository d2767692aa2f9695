import type { BackendId } from '../../../shared/domain';
import type { Download } from '../../../shared/models';
import { Speed } from './speed';

export interface DownloadKey {
  backend: BackendId;
  name: string;
}

/** A listed download. */
export interface ListedDownload {
  download: Download;
  insecure: boolean;
  /** There was a model of this name when the download was first started. */
  wasInstalled: boolean;
  /** It waits until its source is ready, instead of failing at once. */
  held: boolean;
  /** While it runs or is being removed. */
  controller: AbortController | null;
  /** What follows when the current run has ended; null = nothing was requested during it. */
  next: 'pause' | 'remove' | 'run' | null;
  speed: Speed;
}

export function newDownload(
  { backend, name }: DownloadKey,
  facts: Pick<ListedDownload, 'insecure' | 'wasInstalled' | 'held'>,
): ListedDownload {
  return {
    download: {
      backend,
      name,
      state: 'waiting',
      step: 'waiting',
      completedBytes: 0,
      totalBytes: null,
      bytesPerSecond: null,
      error: null,
    },
    ...facts,
    controller: null,
    next: null,
    speed: new Speed(),
  };
}

export function isEnded({ download, controller }: ListedDownload): boolean {
  return controller === null && (download.state === 'done' || download.state === 'failed');
}

/** Does it run, wait to run, or is it being removed? */
export function isActive({ download, controller }: ListedDownload): boolean {
  return controller !== null || download.state === 'waiting';
}

export function downloadKey({ backend, name }: DownloadKey): string {
  return `${backend}/${name}`;
}
