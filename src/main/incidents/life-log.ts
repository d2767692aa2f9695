import type { LifeEvent } from '../../shared/incidents';
import { Emitter, type Unsubscribe } from '../ports/emitter';
import type { Logger } from '../ports/logger';

/** What happened to the servers, oldest first. Bounded: a new event drops the oldest one. */
export class LifeLog {
  readonly onChange: (listener: () => void) => Unsubscribe;
  readonly #changed = new Emitter<void>();
  readonly #logger: Logger;
  readonly #capacity: number;
  #events: readonly LifeEvent[] = [];

  constructor(logger: Logger, capacity = 100) {
    this.#logger = logger;
    this.#capacity = capacity;
    this.onChange = this.#changed.subscribe;
  }

  events(): readonly LifeEvent[] {
    return this.#events;
  }

  add(event: LifeEvent): void {
    const { backend, type, cause, facts, incident } = event;
    this.#keep([event]);
    this.#logger.info('life', {
      backend,
      moment: type,
      ...(cause === null ? {} : { cause }),
      ...facts,
      ...(incident === null ? {} : { incident }),
    });
  }

  /** Adds the events of an earlier run without logging them: that run logged them. */
  restore(events: readonly LifeEvent[]): void {
    this.#keep(events);
  }

  #keep(events: readonly LifeEvent[]): void {
    if (events.length === 0) return;
    this.#events = [...this.#events, ...events].slice(-this.#capacity);
    this.#changed.emit();
  }
}
