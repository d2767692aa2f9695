import type { Notification } from 'electron';
import { type AttentionFacts, attentionOf } from '../../shared/attention';
import { titleOf } from '../../shared/domain';
import type { ElectronModules } from './modules';
import type { ShellStrings } from './strings';
import type { ShellFacts } from './tray-state';

export interface NoticesOptions {
  electron: Pick<ElectronModules, 'Notification'>;
  /** The window is visible and shows the event itself. */
  isVisible: () => boolean;
  onClick: () => void;
}

/**
 * System notifications for events that need the user: one for each event, none for what Tandem repairs automatically or
 * what the open window shows.
 */
export class Notices {
  readonly #options: NoticesOptions;
  /** Reported events that still last, with their notification: if it were collected, a click on it would be lost. */
  readonly #told = new Map<string, Notification | null>();

  constructor(options: NoticesOptions) {
    this.#options = options;
  }

  /** Shows a notification for each new event in the facts. */
  update(facts: AttentionFacts & Pick<ShellFacts, 'instances'>, strings: ShellStrings): void {
    const lasting = attentionOf(facts);
    for (const [key, notification] of this.#told) {
      if (lasting.some((attention) => attention.key === key)) continue;
      notification?.close();
      this.#told.delete(key);
    }
    for (const attention of lasting) {
      if (this.#told.has(attention.key)) continue;
      const words = strings.notice(attention, (id) => titleOf(facts.instances, id));
      this.#told.set(attention.key, this.#tell(words));
    }
  }

  #tell(words: { title: string; body: string }): Notification | null {
    const { electron, isVisible, onClick } = this.#options;
    if (isVisible() || !electron.Notification.isSupported()) return null;
    const notification = new electron.Notification(words);
    notification.on('click', onClick);
    notification.show();
    return notification;
  }
}
