import i18next, { type TFunction } from 'i18next';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  causeClause,
  reasonSentence,
  rescuedFrom,
} from '../../../../src/renderer/features/chat/reason-words';
import { en } from '../../../../src/renderer/i18n/en';
import { ru } from '../../../../src/renderer/i18n/ru';
import { EXIT_CAUSES } from '../../../../src/shared/incidents';
import { INSTANCES, OLLAMA } from '../../../support/backends';

let t: TFunction;
let russian: TFunction;

beforeAll(async () => {
  const resources = { en: { translation: en }, ru: { translation: ru } };
  await i18next.init({ lng: 'en', resources, interpolation: { escapeValue: false } });
  t = i18next.getFixedT('en');
  russian = i18next.getFixedT('ru');
});

describe('reasonSentence', () => {
  it.each([
    ['rule:greeting', 'It reads as a greeting, and MLX answers those fastest.'],
    ['rule:long-context', 'It is too long for the context of the model of first choice.'],
    ['context:truncated-1', 'The oldest message did not fit the model’s context and was left out.'],
    ['context:truncated-3', 'The 3 oldest messages did not fit the model’s context and were left out.'],
    ['rule:some-new-rule', 'The rule “some new rule” applied.'],
    ['explicit:model', 'You chose this model.'],
    ['setting:only-light', 'Only light work goes to MLX, by your setting.'],
    ['fallback:mlx-exited', 'MLX stopped while answering, so another server stepped in.'],
    ['fallback:ollama-down', 'Ollama was not running, so another server answered.'],
    ['fallback:mlx-strange', 'The first choice could not answer (mlx strange), so the next one did.'],
    ['unavailable:mlx-backoff', 'MLX was not available: restarting soon.'],
    ['unavailable:mlx-no-model', 'MLX has no model for this.'],
    ['fallback:named-model', 'The model you chose could not answer, so the one for this kind of work did.'],
    ['rule:stack-trace', 'It contains an error trace, and those go to Ollama.'],
    ['breaker:open', 'The server of first choice is resting because it failed.'],
    ['memory:critical', 'Memory is nearly full, so MLX was spared.'],
    ['memory:working-set', 'The GPU could not hold it beside what is loaded, so MLX was spared.'],
    ['memory:buffer-limit', 'One part of it is larger than the GPU takes at once, so MLX was spared.'],
    ['memory:tide', 'Memory did not allow it (tide).'],
    ['fallback:mlx-out-of-memory', 'MLX ran out of memory, so another server stepped in.'],
    ['fallback:mlx-gpu-hang', 'MLX did not respond, so another server stepped in.'],
    ['fallback:mlx-poison', 'It is known to stop MLX, so another server answered.'],
    ['starter:small-talk', 'Small talk is what the starter model of an earlier version could do.'],
    ['small-model', 'No better model could answer, so the very small built-in one did.'],
    ['unavailable:ollama-language', 'Ollama has no model that knows the language.'],
    ['no-capable-model', 'No installed model is capable of this kind of work yet.'],
    ['from-the-future:x', 'from the future x'],
    ['fallback:mlx-x-timeout', 'The first choice could not answer (mlx x timeout), so the next one did.'],
    ['fallback:gone-two-gpu-hang', 'gone-two did not respond, so another server stepped in.'],
    ['unavailable:gone-absent', 'gone is not set up.'],
  ])('%s', (code, sentence) => {
    expect(reasonSentence(code, t, INSTANCES)).toBe(sentence);
  });

  it('speaks Russian', () => {
    expect(reasonSentence('fallback:mlx-hung', russian, INSTANCES)).toBe(
      'MLX не откликался, и его подменил другой сервер.',
    );
  });
});

describe('rescuedFrom', () => {
  it('knows a server whose id begins as the id of another', () => {
    const far = { ...OLLAMA, id: 'ollama-far' };
    expect(rescuedFrom(['fallback:ollama-far-gpu-hang'], 'mlx', [OLLAMA, far])).toEqual({
      from: 'ollama-far',
      cause: 'gpu-hang',
    });
  });

  it('returns the server that stopped and its cause', () => {
    expect(rescuedFrom(['rule:greeting', 'fallback:mlx-exited'], 'ollama', INSTANCES)).toEqual({
      from: 'mlx',
      cause: 'exited',
    });
  });

  it('returns null for a server that was only busy, repeated the message, or answered itself', () => {
    expect(rescuedFrom(['fallback:mlx-draining'], 'ollama', INSTANCES)).toBeNull();
    expect(rescuedFrom(['fallback:mlx-echo'], 'ollama', INSTANCES)).toBeNull();
    expect(rescuedFrom(['fallback:ollama-exited'], 'ollama', INSTANCES)).toBeNull();
    expect(rescuedFrom(['fallback:mlx-memory'], 'ollama', INSTANCES)).toBeNull();
    expect(rescuedFrom(['fallback:mlx-start-failed'], 'ollama', INSTANCES)).toBeNull();
  });
});

describe('causeClause', () => {
  it.each(EXIT_CAUSES)('has words for the cause %s of an exit', (cause) => {
    expect(causeClause(cause.replaceAll('_', '-'), t)).toBe(en.causes[cause]);
  });

  it('has words for other failures, and none for an unknown code', () => {
    expect(causeClause('incomplete', t)).toBe('the connection broke');
    expect(causeClause('failed', t)).toBe('the connection broke');
    expect(causeClause('memory', t)).toBe('out of GPU memory');
    expect(causeClause('x17', t)).toBeNull();
  });
});
