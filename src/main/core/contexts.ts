import { type BackendId, CATEGORIES, canChat, type ModelFit, type ModelInfo } from '../../shared/domain';
import { own } from '../../shared/own';
import type { Settings } from '../../shared/settings';
import type { Backend } from '../backends/backend';
import { type ContextModel, type Partner, pinnedContext } from '../memory/pinned-context';
import type { QuietMachine } from '../memory/quiet-machine';
import type { MemoryHolder } from '../memory/types';
import { fitOf } from '../models/fit';
import { usefulContext } from '../models/pair';
import { NO_REQUIREMENTS, pickModel } from '../router/model-pick';
import { backendIn } from '../router/roles';
import type { RouteSnapshot } from '../router/types';

export interface ContextSources {
  settings(): Settings;
  /** The installed models; the same list until a model changes. */
  models(): readonly ModelInfo[];
  /** Bytes of this machine; null until they are known. */
  totalBytes(): number | null;
  /** The backends for routes, with these models, in the order of preference. */
  snapshot(models: readonly ModelInfo[]): RouteSnapshot;
  backend(id: BackendId): Backend | (Backend & MemoryHolder);
  /** Does it run on this machine, if it runs at all? */
  isHere(id: BackendId): boolean;
}

/** What the pinned lengths follow from. */
interface Basis {
  settings: Settings;
  models: readonly ModelInfo[];
  totalBytes: number | null;
  /** The backends of these models that run on this machine. */
  here: string;
}

/**
 * The context of each installed model. It is pinned: it follows from the model, the other server's preferred model, the
 * machine and the settings, so it stays the same until one of these changes.
 */
export class ModelContexts {
  readonly #sources: ContextSources;
  #basis: Basis | null = null;
  #models: readonly ModelInfo[] = [];
  /** The backends of these models. */
  #backends: readonly BackendId[] = [];

  constructor(sources: ContextSources) {
    this.#sources = sources;
  }

  /** The installed models with their contexts. A model that an external server has loaded has the context there. */
  models(): readonly ModelInfo[] {
    this.#refresh();
    const foreign = new Map<BackendId, ReadonlyMap<string, number>>();
    for (const id of this.#backends) {
      const contexts = this.#sources.backend(id).foreignContexts?.();
      if (contexts && contexts.size > 0) foreign.set(id, contexts);
    }
    if (foreign.size === 0) return this.#models;
    return this.#models.map((model) => withContext(model, foreign.get(model.backend)?.get(model.name)));
  }

  #refresh(): void {
    const sources = this.#sources;
    const models = sources.models();
    if (models !== this.#basis?.models) this.#backends = [...new Set(models.map(({ backend }) => backend))];
    const here = this.#backends.filter((id) => sources.isHere(id)).join(' ');
    // The size of the machine stays known while its memory cannot be read.
    const totalBytes = sources.totalBytes() ?? this.#basis?.totalBytes ?? null;
    const basis = { settings: sources.settings(), models, totalBytes, here };
    if (this.#basis && isSame(basis, this.#basis)) return;
    this.#models = this.#pinned(basis);
    this.#basis = basis;
  }

  #pinned({ settings, models, totalBytes }: Basis): ModelInfo[] {
    const known = models.filter(({ contextLength }) => contextLength !== null);
    const machine =
      totalBytes === null ? null : { totalBytes, criticalPercent: settings.memoryCriticalPercent };
    // The listing may be older than the machine's size; that must not change the choice of the partner.
    const rated = known.map((model) => ({ ...model, fit: this.#fitAlone(model, machine) }));
    const snapshot = this.#sources.snapshot(rated);
    const partners = new Map(
      snapshot.backends.map(({ id }) => [id, machine && this.#partner(id, snapshot)] as const),
    );
    return models.map((model) => {
      const chosen = own(settings.contextLengths, `${model.backend}/${model.name}`);
      if (chosen !== undefined) return withContext(model, Math.min(chosen, model.contextLength ?? chosen));
      const loadable = this.#contextModel(model);
      if (!machine || !loadable || !canChat(model)) return model;
      return withContext(model, pinnedContext(loadable, partners.get(model.backend) ?? null, machine));
    });
  }

  #fitAlone(model: ModelInfo, machine: QuietMachine | null): ModelFit {
    const loadable = this.#contextModel(model);
    if (!machine || !loadable) return 'unknown';
    const { behaviour } = loadable;
    return fitOf(model, { machine, behaviour, partner: null, contextTokens: usefulContext(null) });
  }

  /** The largest of the models that another backend of this machine prefers for some work. */
  #partner(id: BackendId, snapshot: RouteSnapshot): Partner | null {
    const order = snapshot.backends.map((backend) => backend.id);
    const preferred = order
      .filter((other) => other !== id && backendIn(snapshot, other).enabled)
      .flatMap((other) => preferredOn(other, snapshot))
      .flatMap((model) => {
        const isFirst = order.indexOf(model.backend) < order.indexOf(id);
        const known = this.#contextModel(model);
        return known ? [{ ...known, isFirst }] : [];
      });
    const size = ({ needs }: Partner) => needs.weightsBytes ?? 0;
    return preferred.reduce<Partner | null>((a, b) => (a && size(a) >= size(b) ? a : b), null);
  }

  #contextModel({ backend, ...model }: ModelInfo): ContextModel | null {
    const server = this.#sources.backend(backend);
    const { sizeBytes, contextLength, kvBytesPerToken = null } = model;
    const isLoadable = 'behaviour' in server && this.#sources.isHere(backend);
    if (!isLoadable || sizeBytes === null || contextLength === null) return null;
    const needs = { weightsBytes: sizeBytes, largestTensorBytes: null, kvBytesPerToken };
    return { behaviour: server.behaviour, needs, contextLength };
  }
}

/** The models that a backend prefers for the work that it gets. */
function preferredOn(id: BackendId, snapshot: RouteSnapshot): ModelInfo[] {
  const { settings, models } = snapshot;
  const onlyLight = backendIn(snapshot, id).role === 'light' && settings.mlxOnlyLight;
  const categories = onlyLight ? settings.mlxCategories : CATEGORIES;
  const names = new Set(
    categories.map((category) => pickModel(id, category, snapshot, NO_REQUIREMENTS)?.name),
  );
  return models.filter(({ backend, name }) => backend === id && names.has(name));
}

function withContext(model: ModelInfo, pinned: number | undefined): ModelInfo {
  return pinned === undefined ? model : { ...model, pinnedContext: pinned };
}

function isSame(a: Basis, b: Basis): boolean {
  return (
    a.settings === b.settings && a.models === b.models && a.totalBytes === b.totalBytes && a.here === b.here
  );
}
