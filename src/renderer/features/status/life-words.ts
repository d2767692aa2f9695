import type { TFunction } from 'i18next';
import type { LifeEvent } from '../../../shared/incidents';
import type { MarkShape } from '../../components/backend-words';
import { en } from '../../i18n/en';
import type { Format } from '../../i18n/use-format';

/** One moment of a server's life in a few words; missing facts are left out. */
export function lifeWords({ type, cause, facts }: LifeEvent, t: TFunction, format: Format): string {
  const time = typeof facts.seconds === 'number' ? format.duration(facts.seconds * 1_000) : null;
  const size = typeof facts.bytes === 'number' ? format.memory(facts.bytes) : null;
  switch (type) {
    case 'started':
      return t('life.events.started');
    case 'ready':
      return time === null ? t('life.events.ready') : t('life.events.readyAfter', { time });
    case 'died':
      return t('life.events.died', { cause: t(`causes.${cause ?? 'unknown'}`) });
    case 'stalled':
      return time === null ? t('life.events.stalledPlain') : t('life.events.stalled', { time });
    case 'waiting_for_memory':
      // A second event of this type means that it has waited too long already.
      if (time !== null) return t('life.events.waitingLong', { time });
      return size === null ? t('life.events.waiting') : t('life.events.waitingFor', { size });
    case 'restart_planned':
      return time === null ? t('life.events.planned') : t('life.events.plannedIn', { time });
    case 'restarted_by_user':
      return t('life.events.restartedByUser');
    case 'preload_given_up':
      return t('life.events.preloadGivenUp');
    case 'rung':
      return rungWords(facts, t);
    case 'breaker_open':
      return time === null ? t('life.events.breakerOpen') : t('life.events.breakerOpenFor', { time });
    case 'breaker_half_open':
      return t('life.events.breakerHalfOpen');
    case 'breaker_closed':
      return t('life.events.breakerClosed');
    case 'stopped':
      return t('life.events.stopped');
    case 'adopted':
      return t('life.events.adopted');
    case 'lost':
      return t('life.events.lost');
    case 'explained':
      return t('life.events.explained', { cause: t(`causes.${cause ?? 'unknown'}`) });
    case 'kernel_panic':
      return t('life.events.kernelPanic');
  }
}

function rungWords({ kind, rung }: LifeEvent['facts'], t: TFunction): string {
  if (rung === 0) return t('life.events.rung.full');
  if (typeof kind === 'string' && Object.hasOwn(en.life.events.rung, kind))
    return t(`life.events.rung.${kind as keyof typeof en.life.events.rung}`);
  return t('life.events.rung.other', { rung });
}

/** The mark next to a moment: filled where the server was up, a triangle where it went down. */
export function lifeMark({ type }: LifeEvent): MarkShape {
  switch (type) {
    case 'ready':
    case 'adopted':
    case 'breaker_closed':
      return 'ready';
    case 'died':
    case 'stalled':
    case 'lost':
    case 'kernel_panic':
    case 'breaker_open':
      return 'trouble';
    default:
      return 'off';
  }
}
