import type { Attention } from '../../shared/attention';
import type { BackendId, BackendState } from '../../shared/domain';

/** The shell's own strings: menus, tooltip, notifications. Those of the pages are in `src/renderer/i18n/`. */
export interface ShellStrings {
  open: string;
  hide: string;
  restartMlx: string;
  onlyLight: string;
  /** Shown next to a setting that the environment sets. */
  fromEnvironment: string;
  settings: string;
  /** `names` are the servers that stop with the app. */
  quit: (names: string[]) => string;
  edit: string;
  window: string;
  states: Record<BackendState, string>;
  answering: (count: number) => string;
  waiting: (count: number) => string;
  memory: { warning: string; critical: string };
  cannotStart: string;
  /** Title and text of a notification; `name` gives a server's name. */
  notice: (attention: Attention, name: (backend: BackendId) => string) => { title: string; body: string };
}

const english: ShellStrings = {
  open: 'Open Tandem',
  hide: 'Hide',
  restartMlx: 'Restart MLX',
  onlyLight: 'Only light models on MLX',
  fromEnvironment: 'set by the environment',
  settings: 'Settings…',
  quit: (names) => (names.length === 0 ? 'Quit Tandem' : `Quit Tandem (stops ${names.join(' and ')})`),
  edit: 'Edit',
  window: 'Window',
  states: {
    absent: 'not installed',
    stopped: 'stopped',
    starting: 'starting',
    ready: 'ready',
    busy: 'answering',
    hung: 'not responding',
    backoff: 'restarting soon',
    open: 'resting',
    stopping: 'stopping',
    adopted: 'ready',
  },
  answering: (count) => `answering ${count}`,
  waiting: (count) => `${count} waiting`,
  memory: { warning: 'memory is tight', critical: 'memory is nearly full' },
  cannotStart: 'Tandem cannot start',
  notice: (attention, name) => {
    switch (attention.kind) {
      case 'breaker':
        return {
          title: `${name(attention.backend)} has stopped`,
          body: `${attention.other ? `${name(attention.other)} answers meanwhile.` : 'No other server can answer now.'} Status says why and lets you try again.`,
        };
      case 'setup':
        return {
          title: `${name(attention.backend)} could not be set up`,
          body: 'Status says what is missing and what helps.',
        };
      case 'memory':
        return {
          title: 'Memory is full',
          body: 'Requests are turned away for now. Close something large.',
        };
    }
  },
};

const russian: ShellStrings = {
  open: 'Открыть Tandem',
  hide: 'Скрыть',
  restartMlx: 'Перезапустить MLX',
  onlyLight: 'Только лёгкие модели на MLX',
  fromEnvironment: 'задано переменной среды',
  settings: 'Настройки…',
  quit: (names) =>
    names.length === 0 ? 'Завершить Tandem' : `Завершить Tandem (остановит ${names.join(' и ')})`,
  edit: 'Правка',
  window: 'Окно',
  states: {
    absent: 'не установлен',
    stopped: 'остановлен',
    starting: 'запускается',
    ready: 'готов',
    busy: 'отвечает',
    hung: 'не отвечает на запросы',
    backoff: 'скоро перезапустится',
    open: 'отдыхает',
    stopping: 'останавливается',
    adopted: 'готов',
  },
  answering: (count) => `в работе: ${count}`,
  waiting: (count) => `в очереди: ${count}`,
  memory: { warning: 'памяти мало', critical: 'память почти закончилась' },
  cannotStart: 'Tandem не может запуститься',
  notice: (attention, name) => {
    switch (attention.kind) {
      case 'breaker':
        return {
          title: `${name(attention.backend)} остановился`,
          body: `${attention.other ? `Пока отвечает ${name(attention.other)}.` : 'Другого сервера сейчас нет.'} Почему и как попробовать снова, сказано в разделе «Состояние».`,
        };
      case 'setup':
        return {
          title: `Установить ${name(attention.backend)} не удалось`,
          body: 'Чего не хватает и что поможет, сказано в разделе «Состояние».',
        };
      case 'memory':
        return {
          title: 'Память заполнена',
          body: 'Запросы пока отклоняются. Закройте что-нибудь большое.',
        };
    }
  },
};

/** `language` is the setting; `system` follows the locale, such as `ru-RU`. */
export function shellStrings(language: unknown, locale: string): ShellStrings {
  const wanted = language === 'en' || language === 'ru' ? language : locale.slice(0, 2).toLowerCase();
  return wanted === 'ru' ? russian : english;
}
