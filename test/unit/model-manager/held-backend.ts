import type { LoadedModel, MemoryBehaviour } from '../../../src/main/memory/types';
import { isSameName } from '../../../src/main/models/model-names';
import { TandemError } from '../../../src/shared/errors';
import { ScriptedBackend } from '../../support/scripted-backend';

/** A backend that holds models in memory and can unload and delete them. */
export class HeldBackend extends ScriptedBackend {
  readonly behaviour: MemoryBehaviour = {
    ...{ dies: false, loadsAlone: false, unloads: true, reserves: true, reports: false },
  };
  held: LoadedModel[] = [];
  readonly deleted: string[] = [];

  figures() {
    const nothing = { bytes: null, source: 'test', at: 0 };
    return {
      process: nothing,
      inside: { weights: null, kvCache: null, buffers: null },
      peak: null,
      device: { workingSet: null, buffer: null },
    };
  }

  loaded(): readonly LoadedModel[] {
    return this.held;
  }

  unload(): Promise<void> {
    return Promise.reject(new TandemError('unsupported', 'only at the user’s request'));
  }

  async freeModel(name: string): Promise<void> {
    const found = this.held.find((one) => isSameName(one.name, name));
    if (found && found.active > 0) throw new TandemError('busy', 'in use');
    this.held = this.held.filter((one) => one !== found);
  }

  async deleteModel(name: string): Promise<void> {
    this.deleted.push(name);
  }
}

/** A model in memory, idle and ours unless changed. */
export function held(name: string, bytes: number | null, more: Partial<LoadedModel> = {}): LoadedModel {
  const size = { bytes, source: 'test', at: 0 };
  return { name, size, ready: true, ours: true, active: 0, lastUsedAt: null, ...more };
}
