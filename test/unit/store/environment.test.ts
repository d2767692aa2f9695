import { describe, expect, it } from 'vitest';
import { parseEnvironment } from '../../../src/main/store/environment';

const ESTIMATES =
  'JSON such as {"model": {"load": 60, "per1k": 40, "margin": 60}} or {"model": [60, 40, 60]}, in seconds';

describe('parseEnvironment', () => {
  it.each([
    ['MLX_ONLY_LIGHT', 'true', { mlxOnlyLight: true }],
    ['MLX_ONLY_LIGHT', '0', { mlxOnlyLight: false }],
    ['MLX_ONLY_LIGHT', ' YES ', { mlxOnlyLight: true }],
    ['MLX_ONLY_LIGHT', 'Off', { mlxOnlyLight: false }],
    ['MLX_ONLY_LIGHT', '', {}],
    ['MLX_RATE_LIMIT_MAX', '0', { rateLimitMax: 0 }],
    ['LOCAL_ROUTER_LLM_TIMEOUT', '450.5', { requestTimeoutS: 450.5 }],
    ['MLX_QUEUE_WAIT_TIMEOUT', '600', { queueWaitTimeoutS: 600 }],
    ['MLX_PRELOAD_MODELS', 'fast,coding', { mlxPreloadModels: 'fast,coding' }],
    ['OLLAMA_MODEL_CODING', 'qwen2.5-coder:32b', { ollamaModelCoding: 'qwen2.5-coder:32b' }],
    ['OLLAMA_API_URL', 'http://127.0.0.1:11434', { ollamaUrl: 'http://127.0.0.1:11434' }],
    [
      'MODEL_TIME_ESTIMATES',
      '{"a": {"load": 1, "per1k": 2, "margin": 3}, "b": [4, 5, 6]}',
      { modelTimeEstimates: { a: { load: 1, per1k: 2, margin: 3 }, b: { load: 4, per1k: 5, margin: 6 } } },
    ],
    ['UNRELATED', 'x', {}],
  ])('%s=%s', (name, text, values) => {
    expect(parseEnvironment({ [name]: text })).toEqual({ values, warnings: [] });
  });

  it.each([
    [
      'MLX_ONLY_LIGHT',
      'maybe',
      'true, false, 1, 0, yes, no, on or off',
      { accepted: 'list', example: 'true, false, 1, 0, yes, no, on, off' },
    ],
    ['MLX_MAX_CONCURRENT', '1.5', 'a whole number from 1 to 16', { accepted: 'whole', low: 1, high: 16 }],
    ['MLX_MAX_CONCURRENT', '0x10', 'a whole number from 1 to 16', { accepted: 'whole', low: 1, high: 16 }],
    ['MLX_RATE_LIMIT_MAX', '-1', 'a whole number from 0', { accepted: 'whole', low: 0, high: null }],
    [
      'LOCAL_ROUTER_LLM_TIMEOUT',
      '5 minutes',
      'a number above 0 to 86400',
      { accepted: 'number', low: 0, high: 86_400 },
    ],
    [
      'MLX_MEMORY_WARNING_PERCENT',
      '101',
      'a number from 1 to 100',
      { accepted: 'number', low: 1, high: 100 },
    ],
    ['OLLAMA_API_URL', 'localhost:11434', 'a http:// or https:// address', { accepted: 'url' }],
    ['MODEL_TIME_ESTIMATES', '{"a": [1, 2]}', ESTIMATES, { accepted: 'estimates' }],
    ['MODEL_TIME_ESTIMATES', 'null', ESTIMATES, { accepted: 'estimates' }],
    ['MODEL_TIME_ESTIMATES', '{', ESTIMATES, { accepted: 'estimates' }],
    [
      'OLLAMA_MODEL_CODING',
      'x'.repeat(301),
      'text of at most 300 characters',
      { accepted: 'text', max: 300 },
    ],
  ])('%s=%s is named with what is accepted, and not repeated', (name, text, accepted, facts) => {
    const { values, warnings } = parseEnvironment({ [name]: text });
    expect(values).toEqual({});
    expect(warnings).toEqual([
      {
        code: 'environment_invalid',
        message: `${name} was not understood and is ignored. Accepted: ${accepted}.`,
        details: { name, ...facts },
      },
    ]);
  });
});
