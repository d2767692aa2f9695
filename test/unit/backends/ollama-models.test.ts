import { describe, expect, test } from 'vitest';
import { isRemoteName, toModelInfo } from '../../../src/main/backends/dialects/ollama/model-list';
import { parseModelfile } from '../../../src/main/backends/dialects/ollama/modelfile';
import { parseBillions } from '../../../src/shared/domain';

test.each([
  ['3.8B', 3.8],
  ['103K', 0.000103],
  ['595.78M', 0.59578],
  ['1T', 1000],
  ['', null],
  ['big', null],
])('parameter size %j is %d billions', (text, billions) => {
  const parsed = parseBillions(text);
  if (billions === null) expect(parsed).toBeNull();
  else expect(parsed).toBeCloseTo(billions, 9);
});

test.each([
  ['gpt-oss:120b-cloud', true],
  ['deepseek-v3.1:cloud', true],
  ['cloudy:7b', false],
  ['qwen2.5:3b', false],
])('%s is remote: %s', (name, remote) => {
  expect(isRemoteName(name)).toBe(remote);
});

describe('a model of the list', () => {
  const item = {
    name: 'qwen2.5-coder:32b',
    digest: 'd',
    size: 19_851_349_856,
    modified_at: '2026-01-01T00:00:00Z',
    details: { parameter_size: '32.8B', quantization_level: 'Q4_K_M' },
  };
  const show = { capabilities: ['completion', 'tools'], model_info: { 'qwen2.context_length': 32768 } };

  test('has size, weight, context and capabilities', () => {
    expect(toModelInfo(item, show, 'ollama')).toEqual({
      backend: 'ollama',
      name: 'qwen2.5-coder:32b',
      sizeBytes: 19_851_349_856,
      billions: 32.8,
      quantisation: 'Q4_K_M',
      contextLength: 32768,
      weight: 'heavy',
      small: false,
      languages: null,
      remote: false,
      capabilities: ['completion', 'tools'],
      modifiedAt: '2026-01-01T00:00:00Z',
    });
  });

  test.each([
    ['shared heads', { 'qwen2.attention.head_count_kv': 8 }, 2 * 64 * 8 * 128 * 2],
    [
      'heads by layer, keys of their own size',
      {
        'qwen2.attention.head_count_kv': [8, 0, 4],
        'qwen2.attention.key_length': 256,
        'qwen2.attention.value_length': 64,
      },
      12 * (256 + 64) * 2,
    ],
    [
      'every fourth layer with full attention',
      { 'qwen2.attention.head_count_kv': 4, 'qwen2.full_attention_interval': 4 },
      2 * 16 * 4 * 128 * 2,
    ],
    [
      'latent attention',
      { 'qwen2.attention.head_count_kv': 8, 'qwen2.attention.kv_lora_rank': 512 },
      undefined,
    ],
    ['no word of it', {}, undefined],
  ])('computes memory for its context from its shape: %s', (_, more, bytes) => {
    const model_info = {
      'general.architecture': 'qwen2',
      'qwen2.vision.block_count': 3,
      'qwen2.block_count': 64,
      'qwen2.embedding_length': 5120,
      'qwen2.attention.head_count': 40,
      ...more,
    };
    expect(toModelInfo(item, { model_info }, 'ollama').kvBytesPerToken).toBe(bytes);
  });

  test('is remote when list or description say so', () => {
    expect(toModelInfo({ ...item, remote_host: 'https://elsewhere' }, show, 'ollama').remote).toBe(true);
    expect(toModelInfo(item, { ...show, remote_model: 'x' }, 'ollama').remote).toBe(true);
  });

  test('is listed with the known facts when it cannot be described', () => {
    expect(toModelInfo({ name: 'x', digest: 'd' }, null, 'ollama')).toMatchObject({
      weight: 'unknown',
      contextLength: null,
      capabilities: [],
    });
  });
});

test('a Modelfile gives template, system and parameters', () => {
  const text = `# comment
FROM .
TEMPLATE """{{ .Role }}
{{ .Content }}
"""
SYSTEM You are "brief".
PARAMETER temperature 0
PARAMETER stop <|im_end|>
PARAMETER stop "two words"
PARAMETER use_mmap true
`;
  expect(parseModelfile(text)).toEqual({
    template: '{{ .Role }}\n{{ .Content }}\n',
    system: 'You are "brief".',
    parameters: { temperature: 0, stop: ['<|im_end|>', 'two words'], use_mmap: true },
  });
});
