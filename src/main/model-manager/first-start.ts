import type { ModelInfo } from '../../shared/domain';
import type { FirstStart, ModelOwner, ModelView } from '../../shared/models';
import type { Settings } from '../../shared/settings';
import { type Installation, type Proposal, propose } from '../models/catalogue';
import { hasCapableModel } from '../models/model-library';
import type { PairServers } from '../models/pair';

export interface FirstStartOptions {
  /** The processor's name; null = unknown. */
  chip: string | null;
  settings(): Settings;
  models(): readonly ModelInfo[];
  views(): readonly ModelView[];
  /** The servers that models are proposed for. */
  servers(): PairServers;
  /** Bytes of this machine; null until they are known. */
  totalBytes(): number | null;
  /** What the GPU may use, as the ledger has it; null = unknown. */
  gpuBytes(): number | null;
  diskFreeBytes(): number | null;
}

const PLACES = ['ollama', 'huggingface', 'lmstudio', 'folder'] as const;

/** What the first-start screen shows: the machine, the models that are here, and the pair that fits. */
export class FirstStartFacts {
  readonly #options: FirstStartOptions;
  #hadChats = false;
  #proposal: { key: string; proposal: Proposal } | null = null;

  constructor(options: FirstStartOptions) {
    this.#options = options;
  }

  /** There were chats when the app started. */
  setHadChats(): void {
    this.#hadChats = true;
  }

  view(): FirstStart {
    const { totalBytes, gpuBytes, diskFreeBytes, settings } = this.#options;
    const total = totalBytes();
    return {
      done: settings().firstStartDone ?? this.#isOldInstallation(),
      machine: {
        chip: this.#options.chip,
        totalBytes: total,
        gpuBytes: gpuBytes(),
        diskFreeBytes: diskFreeBytes(),
      },
      found: this.#found(),
      ...(total === null ? { pair: null, smallerPair: null, suggestions: [] } : this.#propose(total)),
    };
  }

  /** One that was set up before this screen existed: it has a model and chats. */
  #isOldInstallation(): boolean {
    return this.#hadChats && hasCapableModel(this.#options.models());
  }

  /** Usable models on this machine that Tandem did not download, by place. */
  #found(): FirstStart['found'] {
    const owners = this.#options
      .views()
      .filter(({ broken, remote, small }) => broken === null && !remote && !small)
      .map(({ owner }): ModelOwner => owner);
    return PLACES.map((place) => ({
      place,
      models: owners.filter((owner) => owner === place).length,
    })).filter(({ models }) => models > 0);
  }

  /** Computed again only when the machine, the servers or the installed models change. */
  #propose(totalBytes: number): Proposal {
    const { models, diskFreeBytes, servers, settings } = this.#options;
    const here: Installation = {
      machine: { totalBytes, criticalPercent: settings().memoryCriticalPercent },
      ...servers(),
      diskFreeBytes: diskFreeBytes(),
      models: models().map(({ backend, name, aliases = [] }) => ({ backend, name, aliases })),
    };
    const key = JSON.stringify(here);
    if (this.#proposal?.key !== key) this.#proposal = { key, proposal: propose(here) };
    return this.#proposal.proposal;
  }
}
