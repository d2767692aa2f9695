import type { Clock } from '../../ports/clock';
import type { StatusBoard } from '../status-board';
import type { Completions } from '../watch/completions';
import type { ManagedOllama } from './managed-ollama';
import type { Residents } from './residents';
import type { RunnerCare } from './runner-care';
import type { ServerChoice } from './server-choice';
import type { ServerMemory } from './server-memory';
import { managedStatus } from './server-status';

const PS_TIMEOUT_MS = 2000;
const FIGURES_EVERY_MS = 10_000;

/** The parts of the backend that its status is read from. */
export interface StatusParts {
  clock: Clock;
  board: StatusBoard;
  managed: ManagedOllama;
  memory: ServerMemory;
  residents: Residents;
  choice(): ServerChoice;
  completions(): Completions;
  care(): RunnerCare;
}

/** Keeps the status and the memory readings of the chosen server up to date. */
export class StatusKeeper {
  readonly #parts: StatusParts;
  #cancelTimer = () => {};

  constructor(parts: StatusParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#cancelTimer = this.#parts.clock.every(FIGURES_EVERY_MS, () => void this.refresh());
  }

  stop(): void {
    this.#cancelTimer();
  }

  publish(): void {
    const { board, managed, memory } = this.#parts;
    const before = board.current;
    const completions = this.#parts.completions();
    const work = {
      activeRequests: completions.active,
      draining: this.#parts.care().draining,
      hangLimits: before.model === null ? null : completions.hangLimits(before.model),
    };
    if (!this.#parts.choice().managed) {
      board.set(work);
      return;
    }
    const view = managed.supervisor.view();
    if (view.pid === null) this.forget();
    board.set(managedStatus(view, managed, { ...before, ...work }));
    if (view.state === 'ready' && memory.bytes === null) void this.refresh();
  }

  /** The first chunk of an answer shows that the model is loaded. */
  answering(model: string): void {
    const { board, residents } = this.#parts;
    if (board.current.model === model) return;
    board.set({ model });
    this.publish();
    if (!residents.has(model)) void this.refresh();
  }

  /** Memory of the processes and their models; read rarely, because both calls cost a little. Never rejects. */
  async refresh(): Promise<void> {
    const { board, managed, memory, residents } = this.#parts;
    const choice = this.#parts.choice();
    const api = choice.current;
    if (!api) return;
    const ours = choice.managed;
    try {
      await memory.refresh(api, ours, AbortSignal.timeout(PS_TIMEOUT_MS));
      if (api !== choice.current) return;
      board.set({
        memoryBytes: memory.bytes,
        ...(this.#parts.completions().active > 0 ? {} : { model: residents.first }),
      });
      if (ours) await managed.supervisor.recordDescendants();
    } catch {
      // The watch and the supervisor notice a server that is gone.
    }
  }

  /** Clears all memory readings, because another server is used from now on. */
  forget(): void {
    this.#parts.memory.changed();
    this.#parts.residents.changed(this.#parts.choice().managed);
  }
}
