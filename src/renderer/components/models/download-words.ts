import type { TFunction } from 'i18next';
import type { Download } from '../../../shared/models';
import type { Trouble } from '../../i18n/core-words';
import type { Format } from '../../i18n/use-format';
import { errorSentence } from '../../stores/request';

type Progress = Pick<Download, 'completedBytes' | 'totalBytes' | 'bytesPerSecond'>;

/** Does it still use the network, or wait for it? */
export function isUnderWay({ state }: Pick<Download, 'state'>): boolean {
  return state === 'running' || state === 'waiting';
}

/** 0–100; null while the size is unknown. */
export function percentOf({ completedBytes, totalBytes }: Progress): number | null {
  if (totalBytes === null || totalBytes <= 0) return null;
  return Math.min(100, (completedBytes / totalBytes) * 100);
}

/** Time to the end, ms; null = unknown. */
function leftMs({ completedBytes, totalBytes, bytesPerSecond }: Progress): number | null {
  if (totalBytes === null || bytesPerSecond === null || bytesPerSecond <= 0) return null;
  return (Math.max(0, totalBytes - completedBytes) / bytesPerSecond) * 1_000;
}

/** “about 4 min left”; null = unknown. */
export function leftWords(progress: Progress, t: TFunction, format: Format): string | null {
  const left = leftMs(progress);
  return left === null ? null : t('downloads.left', { time: format.eta(left) });
}

/** Several downloads as one; parts of unknown size do not count. */
export function joinProgress(downloads: readonly Download[]): Progress {
  const known = downloads.filter(({ totalBytes }) => totalBytes !== null);
  const sum = (of: (download: Download) => number | null) =>
    known.reduce((total, download) => total + (of(download) ?? 0), 0);
  return {
    completedBytes: sum(({ completedBytes }) => completedBytes),
    totalBytes: known.length === 0 ? null : sum(({ totalBytes }) => totalBytes),
    bytesPerSecond: sum(({ bytesPerSecond }) => bytesPerSecond),
  };
}

/** Why the source of a model did not deliver. The general sentence of `model_not_found` is about installed models. */
export function sourceTrouble(error: Trouble, t: TFunction): string {
  return error.code === 'model_not_found' ? t('models.unknown') : errorSentence(error);
}

/** The line below the name of a download: its state, bytes, speed and time left. */
export function downloadFacts(download: Download, t: TFunction, format: Format): string[] {
  const { state, completedBytes, totalBytes, bytesPerSecond } = download;
  const bytes =
    totalBytes === null
      ? []
      : [t('downloads.bytes', { done: format.fileSize(completedBytes), total: format.fileSize(totalBytes) })];
  if (state === 'done') return [t('models.installed')];
  if (state === 'waiting') return [t('downloads.waiting'), ...bytes];
  if (state === 'paused') return [t('downloads.paused'), ...bytes];
  if (state === 'failed') return bytes;
  if (totalBytes === null) return [t('downloads.starting')];
  if (completedBytes >= totalBytes) return [t('downloads.checking')];
  if (bytesPerSecond !== null && bytesPerSecond > 0)
    bytes.push(t('units.perSecond', { size: format.fileSize(bytesPerSecond) }));
  const left = leftWords(download, t, format);
  return left === null ? bytes : [...bytes, left];
}
