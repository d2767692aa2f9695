import type { Notification } from 'electron';
import { type Attention, type AttentionFacts, attentionOf } from '../../shared/attention';
import type { ElectronModules } from './modules';
import type { ShellStrings } from './strings';

export interface NoticesOptions {
  electron: Pick<ElectronModules, 'Notification'>;
  /** The window is in sight and tells it by itself. */
  isVisible: () => boolean;
  onClick: () => void;
}

/**
 * Notifications of the system, for what needs a person: one for each event, and none for what Tandem mends by itself
 * or what the open window shows.
 */
export class Notices {
  readonly #options: NoticesOptions;
  /** What is going on and was told; with its notification, which would lose its click if it were collected. */
  readonly #told = new Map<string, Notification | null>();

  constructor(options: NoticesOptions) {
    this.#options = options;
  }

  /** Looks at the facts and tells what is new in them. */
  update(facts: AttentionFacts, strings: ShellStrings): void {
    const lasting = attentionOf(facts);
    for (const [key, notification] of this.#told) {
      if (lasting.some((attention) => attention.key === key)) continue;
      notification?.close();
      this.#told.delete(key);
    }
    for (const attention of lasting) {
      if (!this.#told.has(attention.key)) this.#told.set(attention.key, this.#tell(attention, strings));
    }
  }

  #tell(attention: Attention, strings: ShellStrings): Notification | null {
    const { electron, isVisible, onClick } = this.#options;
    if (isVisible() || !electron.Notification.isSupported()) return null;
    const notification = new electron.Notification(strings.notice(attention));
    notification.on('click', onClick);
    notification.show();
    return notification;
  }
}
