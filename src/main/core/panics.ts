import { join } from 'node:path';
import { defaultSettings, SETTINGS, type SettingKey } from '../../shared/settings';
import { PanicWatch, type PanicWatchOptions, type Retreat } from '../incidents/panic-watch';
import { nodeReportFolder } from '../ports/report-folder';
import type { SettingsStore } from '../store/settings-store';
import type { CorePorts } from './core-types';
import type { Place } from './place';

/** Settings that are known to lead to kernel panics of the GPU. */
const RISKY = ['mlxWiredPercent', 'mlxMaxConcurrent'] as const satisfies SettingKey[];

/** Looks for kernel panics that MLX triggers; null where the system writes no such reports. */
export function createPanicWatch(
  { clock, files, logger }: CorePorts,
  place: Place,
  settings: SettingsStore,
  onPanic: PanicWatchOptions['onPanic'],
): PanicWatch | null {
  if (place.platform !== 'darwin') return null;
  return new PanicWatch({
    ...{ clock, files, logger, onPanic },
    reports: nodeReportFolder,
    path: join(place.dataDir, 'panic-look.json'),
    retreat: () => retreat(settings),
  });
}

/** Resets these settings; what the environment or a file that cannot be written holds stays, and is named. */
export async function retreat(settings: SettingsStore): Promise<Retreat> {
  const safe = defaultSettings();
  const changed: string[] = [];
  const held: string[] = [];
  for (const key of RISKY) {
    const value = settings.values()[key];
    if (value === safe[key]) continue;
    const name = SETTINGS[key].env;
    await settings.reset(key).then(
      () => changed.push(`${name} ${value} → ${safe[key]}`),
      () => held.push(name),
    );
  }
  return { changed, held };
}
