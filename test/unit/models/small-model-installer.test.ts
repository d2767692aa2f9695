import { beforeEach, describe, expect, it } from 'vitest';
import { type SmallModelHost, SmallModelInstaller } from '../../../src/main/models/small-model-installer';
import { Emitter } from '../../../src/main/ports/emitter';
import { silentLogger } from '../../../src/main/ports/logger';
import type { ModelInfo } from '../../../src/shared/domain';
import type { BackendStatus } from '../../../src/shared/status';
import { settle } from '../../support/fake-clock';

let names: string[];
let calls: string[];
let status: Partial<BackendStatus>;
let wanted: boolean;
let consent: boolean;
let gguf: string | null;
let changes: Emitter<BackendStatus>;
let fails: boolean;

beforeEach(() => {
  names = [];
  calls = [];
  status = { ownership: 'managed', readySince: 1 };
  wanted = true;
  consent = false;
  gguf = '/runtimes/small/model.gguf';
  changes = new Emitter();
  fails = false;
});

function installer(): SmallModelInstaller {
  const host: SmallModelHost = {
    status: () => status as BackendStatus,
    onStatus: changes.subscribe,
    models: async () =>
      names.map((name) => ({ name, small: name === 'tandem-smollm2-135m' }) as unknown as ModelInfo),
    createFromFiles: async (model, paths, modelfile) => {
      calls.push(`create ${model} of ${paths.join()} as ${modelfile}`);
      if (fails) throw new Error('disk full');
      names.push(model);
    },
    deleteModel: async (model) => {
      calls.push(`delete ${model}`);
      names = names.filter((name) => name !== model);
    },
  };
  return new SmallModelInstaller({
    host,
    resourcesDir: '/app',
    consent: () => consent,
    wanted: () => wanted,
    gguf: () => gguf,
    onChanged: async () => void calls.push('changed'),
    logger: silentLogger,
  });
}

const CREATED = 'create tandem-smollm2-135m of /runtimes/small/model.gguf as /app/models/small/Modelfile';

describe('the small model in Ollama', () => {
  it('is created once in a server of our own', async () => {
    const small = installer();
    await small.ensure();
    await small.ensure();
    expect(calls).toEqual([CREATED, 'changed']);
  });

  it('waits for its file, and for the server', async () => {
    const small = installer();
    gguf = null;
    await small.ensure();
    gguf = '/runtimes/small/model.gguf';
    status = { ownership: 'managed', readySince: null };
    await small.ensure();
    expect(calls).toEqual([]);
    const stop = small.start();
    status = { ownership: 'managed', readySince: 5 };
    changes.emit(status as BackendStatus);
    await settle();
    expect(calls).toEqual([CREATED, 'changed']);
    stop();
  });

  it('is put into a foreign server only with consent', async () => {
    status = { ownership: 'adopted', readySince: 1 };
    names = ['tandem-starter'];
    const small = installer();
    await small.ensure();
    expect(calls).toEqual([]);
    consent = true;
    await small.ensure();
    expect(calls).toEqual(['delete tandem-starter', CREATED, 'changed']);
  });

  it('is deleted when the user has removed it, and its predecessor in any case', async () => {
    names = ['tandem-starter', 'tandem-smollm2-135m', 'mine'];
    wanted = false;
    await installer().ensure();
    expect(names).toEqual(['mine']);
    expect(calls.at(-1)).toBe('changed');
  });

  it('is retried after a failure when the server comes up the next time', async () => {
    fails = true;
    const small = installer();
    await small.ensure();
    expect(calls).toEqual([CREATED]);
    fails = false;
    await small.ensure();
    expect(calls).toEqual([CREATED, CREATED, 'changed']);
  });

  it('is checked once more when something changes meanwhile', async () => {
    const small = installer();
    const first = small.ensure();
    wanted = false;
    await Promise.all([first, small.ensure()]);
    expect(names).toEqual([]);
  });
});
