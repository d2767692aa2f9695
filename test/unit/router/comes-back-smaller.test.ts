import { describe, expect, it } from 'vitest';
import { decideByRules } from '../../../src/main/router/decide';
import { pickSmaller } from '../../../src/main/router/model-pick';
import { route } from '../../../src/main/router/route';
import type { RouteSnapshot } from '../../../src/main/router/types';
import type { CompletionRequest } from '../../../src/shared/completion';
import { type ModelInfo, SMALL_MODEL_NAME } from '../../../src/shared/domain';
import { defaultSettings } from '../../../src/shared/settings';
import { routeBackend } from '../../support/backends';
import { model } from '../../support/scripted-backend';

/** A light backend that ran out of memory and accepts less than before. */

const sized = (name: string, billions: number) =>
  model('mlx', name, billions, { sizeBytes: billions * 1e9, contextLength: 32_768 });
const LARGE = sized('phi3.5-mini', 3.8);
const MIDDLE = sized('qwen2.5-3b', 3);
const SMALL = sized('tinyllama-1.1b-chat', 1.1);
const TWENTY = sized('coder-20b', 20);
const LAST = model('mlx', SMALL_MODEL_NAME, 0.135, { small: true, languages: ['en'], sizeBytes: 76e6 });
const IN_OLLAMA = model('ollama', 'phi3.5:3.8b', 3.8);

function snapshot(
  models: ModelInfo[],
  memoryRefuses: RouteSnapshot['memoryRefuses'] = () => null,
): RouteSnapshot {
  const backends = [routeBackend('mlx'), routeBackend('ollama')];
  return { settings: defaultSettings(), backends, models, memory: 'normal', memoryRefuses };
}

function candidates(text: string, world: RouteSnapshot, request: Partial<CompletionRequest> = {}) {
  const asked: CompletionRequest = {
    ...{ id: 'r', messages: [{ role: 'user', content: text }], model: { kind: 'auto' } },
    ...{ priority: 'high', client: 'ui', sampling: {}, strict: false, origin: 'chat', ...request },
  };
  const decision = route(decideByRules(asked), asked, world);
  if (decision.kind === 'refused') throw decision.error;
  return [decision.candidates.map(({ model }) => model), decision.reasons] as const;
}

describe('the next smaller model', () => {
  it.each([
    [LARGE.name, [LARGE, MIDDLE, SMALL, LAST], MIDDLE.name],
    [MIDDLE.name, [LARGE, MIDDLE, SMALL, LAST], SMALL.name],
    [TWENTY.name, [TWENTY, LARGE, SMALL], LARGE.name],
    [SMALL.name, [LARGE, SMALL, LAST], LAST.name],
    [LAST.name, [LARGE, SMALL, LAST], null],
    ['gone', [LARGE, SMALL], null],
  ])('of %s', (name, models, smaller) => {
    expect(pickSmaller('mlx', name, snapshot(models))?.name ?? null).toBe(smaller);
  });
});

describe('a model that is too large for now', () => {
  const smaller: RouteSnapshot['memoryRefuses'] = (_backend, name, tokens) =>
    name === LARGE.name && tokens > 4096 ? 'memory:smaller' : null;

  it('still gets short requests', () => {
    const [models, reasons] = candidates('hello', snapshot([LARGE, IN_OLLAMA], smaller));
    expect(models).toEqual([LARGE.name, IN_OLLAMA.name]);
    expect(reasons).not.toContain('memory:smaller');
  });

  it('leaves long ones to the other backend, with a reason', () => {
    const long = { category: 'greeting', sampling: { maxTokens: 8000 } } as const;
    const [models, reasons] = candidates('hello', snapshot([LARGE, IN_OLLAMA], smaller), long);
    expect(models).toEqual([IN_OLLAMA.name]);
    expect(reasons).toContain('memory:smaller');
  });

  it('is replaced by the next one of its backend', () => {
    const never: RouteSnapshot['memoryRefuses'] = (_backend, name) =>
      name === LARGE.name ? 'memory:smaller' : null;
    const [models, reasons] = candidates('hello', snapshot([LARGE, SMALL, IN_OLLAMA], never));
    expect(models).toEqual([SMALL.name, IN_OLLAMA.name]);
    expect(reasons).toContain('memory:smaller');
  });

  it('is still used when the user overrules', () => {
    const long = { sampling: { maxTokens: 8000 }, overruleMemory: true };
    const [models] = candidates('hello', snapshot([LARGE, IN_OLLAMA], smaller), long);
    expect(models[0]).toBe(LARGE.name);
  });

  it('needs no more than its context, whatever is requested', () => {
    const needed: number[] = [];
    const world = snapshot([LARGE, IN_OLLAMA], (_backend, name, tokens) => {
      if (name === LARGE.name) needed.push(tokens);
      return null;
    });
    candidates('hello', world, {
      model: { kind: 'named', name: LARGE.name },
      sampling: { maxTokens: 1e9 },
    });
    expect(new Set(needed)).toEqual(new Set([32_768]));
  });
});
