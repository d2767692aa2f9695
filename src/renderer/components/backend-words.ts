import type { TFunction } from 'i18next';
import type { BackendStatus } from '../../shared/status';
import { en } from '../i18n/en';
import type { Format } from '../i18n/use-format';

export type MarkShape = 'ready' | 'working' | 'off' | 'trouble';

/** The mark next to a server's name: filled, spinning, hollow or a triangle. */
export function markOf({ state, stage, activeRequests }: BackendStatus): MarkShape {
  switch (state) {
    case 'ready':
      return 'ready';
    case 'adopted':
      return activeRequests > 0 ? 'working' : 'ready';
    case 'busy':
    case 'starting':
    case 'stopping':
      return 'working';
    case 'hung':
    case 'backoff':
    case 'open':
      return 'trouble';
    case 'absent':
    case 'stopped':
      return stage === 'setup' ? 'working' : 'off';
  }
}

/** A server's state in one to three words, lower case. `now` is wall time, for countdowns. */
export function stateWords(status: BackendStatus, t: TFunction, format: Format, now: number): string {
  const { state, stage, nextStartAt, activeRequests, breaker } = status;
  if (stage === 'setup' && state !== 'ready' && state !== 'busy') return t('state.settingUp');
  if (state === 'backoff' && nextStartAt !== null) {
    const left = Math.max(1_000, Math.round((nextStartAt - now) / 1_000) * 1_000);
    return t('state.backoffIn', { time: format.duration(left) });
  }
  const nextTryAt = breaker.nextTryAt ?? nextStartAt;
  if (state === 'open' && nextTryAt !== null) return t('state.openUntil', { time: format.clock(nextTryAt) });
  if (state === 'adopted' && activeRequests > 0) return t('state.busy');
  if (state === 'starting' && stage !== 'idle') return t(`stage.${stage}`).toLocaleLowerCase(format.language);
  return t(`state.${state}`);
}

/** The shortest clear form of a model's name: without owner, and without the usual endings of MLX copies. */
export function shortModel(name: string): string {
  const bare = name.includes('/') ? name.slice(name.lastIndexOf('/') + 1) : name;
  return bare.replace(/:latest$/, '').replace(/-(instruct|\d+bit)(?=-|$)/gi, '');
}

/** The cure for a server's last error by its code; null when only the core's own sentence is available. */
export function serverCure(code: string, t: TFunction): string | null {
  if (!Object.hasOwn(en.serverErrors, code)) return null;
  return t(`serverErrors.${code as keyof typeof en.serverErrors}`);
}
