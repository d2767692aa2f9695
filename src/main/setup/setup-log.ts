import type { SetupPart } from '../../shared/status';
import type { Logger } from '../ports/logger';

/** Steps of this many percent are worth a line. */
const PERCENT_STEP = 20;

/**
 * Tells the set-up on the console as it goes: a line for each new stage of a part, and for every fifth of a long one, so
 * that somebody who looks at the terminal sees that it moves.
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
