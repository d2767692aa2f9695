import type { SetupPart } from '../../shared/status';
import type { Logger } from '../ports/logger';

/** Log one line for each step of this many percent. */
const PERCENT_STEP = 20;

/**
 * Logs the set-up's progress on the console: a line for each new stage of a part, and for every fifth of a long one, so
 * that a person at the terminal sees progress.
 */
export function setupLog(logger: Logger): (part: SetupPart) => void {
  const told = new Map<SetupPart['part'], string>();
  return (part) => {
    const fifth = Math.floor((part.percent ?? 0) / PERCENT_STEP);
    const key = `${part.stage} ${fifth}`;
    if (told.get(part.part) === key) return;
    told.set(part.part, key);
    logger.info(`setup.${part.part}`, {
      stage: part.stage,
      ...(part.percent === null ? {} : { percent: Math.round(part.percent) }),
      seconds: Math.round(part.elapsedMs / 1000),
      ...(part.stage === 'failed' || part.stage === 'absent' ? { cure: part.cure } : {}),
    });
  };
}
