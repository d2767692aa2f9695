import type { Circumstances } from '../../src/main/supervisor/exit-cause';
import type { Death, LifeMoment, SupervisionObserver } from '../../src/main/supervisor/life';

/** Records what a supervisor reports. */
export class RecordedLife implements SupervisionObserver {
  readonly moments: LifeMoment[] = [];
  readonly deaths: Death[] = [];
  /** The circumstances it returns. */
  now: Circumstances = { pressure: 'normal', killerInFlight: false };

  get types(): string[] {
    return this.moments.map(({ type }) => type);
  }

  onMoment(_backend: string, moment: LifeMoment): void {
    this.moments.push(moment);
  }

  onDeath(_backend: string, moment: LifeMoment, death: Death): void {
    this.moments.push(moment);
    this.deaths.push(death);
  }

  circumstances(): Circumstances {
    return this.now;
  }
}
