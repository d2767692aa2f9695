import { describe, expect, it } from 'vitest';
import { parseEnvironment } from '../../../src/main/store/environment';
import { SETTINGS } from '../../../src/shared/settings';

const LENGTHS = 'JSON such as {"<backend>/<model>": 32768}';
const ESTIMATES =
  'JSON such as {"model": {"load": 60, "per1k": 40, "margin": 60}} or {"model": [60, 40, 60]}, in seconds';

const BOOLEANS = {
  words: 'true, false, 1, 0, yes, no, on or off',
  facts: { accepted: 'list', example: 'true, false, 1, 0, yes, no, on, off' },
};

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
    [
      'TANDEM_CONTEXT_LENGTHS',
      '{"ollama/hf.co/org/name:Q4": 32768}',
      { contextLengths: { 'ollama/hf.co/org/name:Q4': 32_768 } },
    ],
    ['OLLAMA_API_URL', '127.0.0.1:11434', { ollamaUrl: 'http://127.0.0.1:11434' }],
    ['OLLAMA_API_URL', 'localhost:11434', { ollamaUrl: 'http://localhost:11434' }],
    ['MLX_API_URL', 'studio.local', { mlxUrl: 'http://studio.local' }],
    ['MLX_API_URL', '[::1]:11435/base', { mlxUrl: 'http://[::1]:11435/base' }],
    ['UNRELATED', 'x', {}],
  ])('%s=%s', (name, text, values) => {
    expect(parseEnvironment({ [name]: text })).toEqual({ values, unusable: [], warnings: [] });
  });

  it('keeps the good entries of a table and reports the bad one', () => {
    const { values, unusable, warnings } = parseEnvironment({
      MODEL_TIME_ESTIMATES: '{"a": [1, 2, 3], "b": [1, 2]}',
    });
    expect(values).toEqual({ modelTimeEstimates: { a: { load: 1, per1k: 2, margin: 3 } } });
    expect(unusable).toEqual([]);
    expect(warnings).toEqual([
      {
        code: 'environment_invalid',
        message: `MODEL_TIME_ESTIMATES was not understood in one entry, and "b" is ignored. Accepted: ${ESTIMATES}.`,
        details: { name: 'MODEL_TIME_ESTIMATES', accepted: 'estimates', entry: 'b' },
      },
    ]);
  });

  it.each([
    ['MLX_ONLY_LIGHT', 'maybe', BOOLEANS.words, BOOLEANS.facts],
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
    ['OLLAMA_API_URL', 'ftp://localhost', 'a http:// or https:// address', { accepted: 'url' }],
    ['OLLAMA_API_URL', 'yes', 'a http:// or https:// address', { accepted: 'url' }],
    ['MLX_API_URL', 'localhost:99999', 'a http:// or https:// address', { accepted: 'url' }],
    ['MLX_ONLY_LIGHT', 'constructor', BOOLEANS.words, BOOLEANS.facts],
    [
      'TANDEM_CONTEXT_LENGTHS',
      '{"qwen": 8192}',
      LENGTHS,
      { accepted: 'list', example: '{"<backend>/<model>": 32768}' },
    ],
    [
      'TANDEM_CONTEXT_LENGTHS',
      '{"ollama/qwen": 100}',
      LENGTHS,
      { accepted: 'list', example: '{"<backend>/<model>": 32768}' },
    ],
    ['MODEL_TIME_ESTIMATES', '{"a": [1, 2]}', ESTIMATES, { accepted: 'estimates' }],
    ['MODEL_TIME_ESTIMATES', 'null', ESTIMATES, { accepted: 'estimates' }],
    ['MODEL_TIME_ESTIMATES', '{', ESTIMATES, { accepted: 'estimates' }],
    [
      'OLLAMA_MODEL_CODING',
      'x'.repeat(301),
      'text of at most 300 characters',
      { accepted: 'text', max: 300 },
    ],
  ])('%s=%s is reported with what is accepted, and not quoted', (name, text, accepted, facts) => {
    const { values, unusable, warnings } = parseEnvironment({ [name]: text });
    expect(values).toEqual({});
    expect(unusable.map((key) => SETTINGS[key].env)).toEqual([name]);
    expect(warnings).toEqual([
      {
        code: 'environment_invalid',
        message: `${name} was not understood and is ignored. Accepted: ${accepted}.`,
        details: { name, ...facts },
      },
    ]);
  });
});
