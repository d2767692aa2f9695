import { type BackendId, canChat, type ModelInfo } from '../../shared/domain';

/** Remembers the reachable models, so that unanswered messages are resent only when a new one appears. */
export class ReachableModels {
  #known = new Set<string>();

  /** Returns true if a model that can chat is on a serving backend now and was not at the last call. */
  update(models: readonly ModelInfo[], serves: (backend: BackendId) => boolean): boolean {
    const reachable = models.filter((model) => canChat(model) && serves(model.backend));
    const names = new Set(reachable.map(({ backend, name }) => `${backend}/${name}`));
    const isNew = [...names].some((name) => !this.#known.has(name));
    this.#known = names;
    return isNew;
  }
}
