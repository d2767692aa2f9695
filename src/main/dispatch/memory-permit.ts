import type { Reason } from '../../shared/domain';
import { isTandemError } from '../../shared/errors';
import type { Asked, MemoryGrant } from '../memory/memory-gate';
import { heldTokens } from '../router/candidates';
import type { TryContext } from './try-context';

/** Decides whether work may take memory now. */
export interface MemoryAuthority {
  /** See `MemoryGate.admit`. */
  admit(asked: Asked, signal: AbortSignal, onWait: () => void): Promise<MemoryGrant>;
}

/** Permission for one attempt to take memory; always granted without an authority. */
export class MemoryPermit {
  readonly #authority: MemoryAuthority | undefined;
  readonly #context: TryContext;
  #grant: MemoryGrant | null = null;

  constructor(authority: MemoryAuthority | undefined, context: TryContext) {
    this.#authority = authority;
    this.#context = context;
  }

  /**
   * Requests the permission unless it is already granted, and adds the decision to the run's reasons. Rejects with
   * `memory_critical`, or with the signal's reason.
   * @param onWait called before a wait of up to two minutes, so that the caller can release what it holds
   */
  async ask(onWait: () => void): Promise<void> {
    if (!this.#authority || this.#grant) return;
    const { run } = this.#context;
    try {
      this.#grant = await this.#authority.admit(askedBy(this.#context), run.signal, onWait);
      run.addReasons(this.#grant.reasons);
    } catch (error) {
      const reason = isTandemError(error) ? error.details.reason : null;
      if (typeof reason === 'string') run.addReasons([reason as Reason]);
      throw error;
    }
  }

  release(): void {
    this.#grant?.release();
    this.#grant = null;
  }
}

function askedBy({ run, candidate, hasNext, plan, snapshot }: TryContext): Asked {
  const { request } = run;
  const { backend, model } = candidate;
  return {
    backend,
    model,
    purpose: 'request',
    tokens: heldTokens(backend, model, request, snapshot),
    expectedS: plan.wish.estimateMs / 1000,
    mayMove: hasNext && !request.strict,
    overruled: request.overruleMemory ?? false,
  };
}
