import { describe, expect, it } from 'vitest';
import { FirstStartFacts, type FirstStartOptions } from '../../../src/main/model-manager/first-start';
import { brokenViewOf, modelViewOf } from '../../../src/main/model-manager/model-view';
import type { ModelInfo } from '../../../src/shared/domain';
import type { ModelOwner } from '../../../src/shared/models';
import { defaultSettings } from '../../../src/shared/settings';
import { PAIR_SERVERS } from '../../bench/memory/pairs';
import { model } from '../../support/scripted-backend';

const GIB = 2 ** 30;

function facts(changes: Partial<FirstStartOptions> = {}): FirstStartFacts {
  return new FirstStartFacts({
    chip: 'Apple M4 Pro',
    settings: defaultSettings,
    models: () => [],
    views: () => [],
    servers: () => PAIR_SERVERS,
    totalBytes: () => 48 * GIB,
    gpuBytes: () => 36 * GIB,
    diskFreeBytes: () => 500e9,
    ...changes,
  });
}

function viewOf(info: ModelInfo, owner: ModelOwner) {
  const none = {
    usedFor: [],
    load: 'none',
    measured: null,
    lastUsedAt: null,
    contextChosen: false,
    hasFolder: true,
  } as const;
  return modelViewOf(info, { ...none, owner });
}

describe('the first start', () => {
  it('shows the machine and the pair that fits it', () => {
    const { machine, pair, done } = facts().view();
    expect(machine).toEqual({
      ...{ chip: 'Apple M4 Pro', totalBytes: 48 * GIB, gpuBytes: 36 * GIB, diskFreeBytes: 500e9 },
    });
    expect(pair?.heavy?.name).toBe('qwen3.8:27b');
    expect(done).toBe(false);
  });

  it('proposes nothing before the memory is known, and says that it is unknown', () => {
    const { pair, suggestions, machine } = facts({ totalBytes: () => null, gpuBytes: () => null }).view();
    expect({ pair, suggestions }).toEqual({ pair: null, suggestions: [] });
    expect([machine.totalBytes, machine.gpuBytes]).toEqual([null, null]);
  });

  it('counts the usable models that were here already, by place', () => {
    const broken = { name: 'half', reason: 'download_unfinished', file: 'x' } as const;
    const views = () => [
      viewOf(model('ollama', 'a:7b', 7), 'ollama'),
      viewOf(model('mlx', 'b', 3), 'huggingface'),
      viewOf(model('mlx', 'c', 3), 'huggingface'),
      viewOf(model('mlx', 'd', 3), 'tandem'),
      viewOf(model('ollama', 'cloud', 3, { remote: true }), 'ollama'),
      viewOf(model('mlx', 'small', 0.1, { small: true }), 'folder'),
      brokenViewOf(broken, 'mlx', 'lmstudio'),
    ];
    expect(facts({ views }).view().found).toEqual([
      { place: 'ollama', models: 1 },
      { place: 'huggingface', models: 2 },
    ]);
  });

  it('is over when the user says so, or when an older installation has a model and chats', () => {
    const models = () => [model('ollama', 'a:7b', 7)];
    const old = facts({ models });
    expect(old.view().done).toBe(false);
    old.setHadChats();
    expect(old.view().done).toBe(true);
    const empty = facts();
    empty.setHadChats();
    expect(empty.view().done).toBe(false);
    const settings = (firstStartDone: boolean) => ({ ...defaultSettings(), firstStartDone });
    expect(facts({ settings: () => settings(true) }).view().done).toBe(true);
    const again = facts({ models, settings: () => settings(false) });
    again.setHadChats();
    expect(again.view().done).toBe(false);
  });

  it('follows the models that are installed meanwhile', () => {
    let models: ModelInfo[] = [];
    const shown = facts({ models: () => models });
    const before = shown.view().pair?.downloadBytes ?? 0;
    models = [model('ollama', 'qwen3.8:27b', 27)];
    expect(shown.view().pair?.downloadBytes).toBe(before - 17e9);
  });
});
