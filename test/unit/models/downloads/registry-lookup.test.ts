import { describe, expect, it } from 'vitest';
import { parseOllamaName } from '../../../../src/main/models/downloads/ollama-name';
import { lookUpInRegistry } from '../../../../src/main/models/downloads/registry-lookup';
import type { Fetcher } from '../../../../src/main/ports/fetcher';

const never = new AbortController().signal;
const digest = (digit: string) => `sha256:${digit.repeat(64)}`;
const layer = (kind: string, size: number, digit = '0') => ({
  mediaType: `application/vnd.ollama.image.${kind}`,
  digest: digest(digit),
  size,
});
const MANIFEST = {
  config: { mediaType: 'application/vnd.docker.container.image.v1+json', digest: digest('c'), size: 500 },
  layers: [
    layer('model', 4_000_000_000, '1'),
    layer('projector', 600_000_000, '2'),
    layer('template', 1_500, '3'),
    layer('license', 11_000, 'a'),
  ],
};

/** Answers by address; everything else is 404. */
function registry(answers: Record<string, unknown>) {
  const asked: string[] = [];
  const fetcher = (async (url: string) => {
    asked.push(url);
    const answer = answers[url];
    if (answer instanceof Error) throw answer;
    if (answer instanceof Response) return answer;
    if (answer === undefined) return new Response('', { status: 404 });
    return new Response(typeof answer === 'string' ? answer : JSON.stringify(answer));
  }) as unknown as Fetcher;
  return { fetcher, asked };
}

it.each([
  ['qwen2.5:3b', 'registry.ollama.ai', 'library/qwen2.5', '3b'],
  ['me/model', 'registry.ollama.ai', 'me/model', 'latest'],
  ['hf.co/org/name:Q4_K_M', 'hf.co', 'org/name', 'Q4_K_M'],
  ['127.0.0.1:5000/library/x', '127.0.0.1:5000', 'library/x', 'latest'],
])('%s is at %s: %s, %s', (name, host, path, tag) => {
  expect(parseOllamaName(name)).toEqual({ host, path, tag });
});

describe('a lookup in a registry', () => {
  it('adds up what a pull would download, with parameters and licence', async () => {
    const base = 'https://registry.ollama.ai/v2/library/qwen2.5vl';
    const { fetcher, asked } = registry({
      [`${base}/manifests/7b`]: MANIFEST,
      [`${base}/blobs/${digest('c')}`]: { model_type: '8.3B', file_type: 'Q4_K_M' },
      [`${base}/blobs/${digest('a')}`]: '\n\n        Apache License\n   Version 2.0',
    });
    expect(await lookUpInRegistry('qwen2.5vl:7b', fetcher, never)).toEqual({
      sizeBytes: 4_600_013_000,
      weightsBytes: 4_600_000_000,
      billions: 8.3,
      contextLength: null,
      licence: 'Apache License',
      gated: false,
      refused: null,
    });
    expect(asked).toHaveLength(3);
  });

  it('asks the hub for the context, the licence and consent of its own models', async () => {
    const { fetcher } = registry({
      'https://hf.co/v2/org/name/manifests/Q4_K_M': MANIFEST,
      'https://hf.co/api/models/org/name': {
        gated: 'manual',
        cardData: { license: 'llama3.1' },
        gguf: { context_length: 131_072, total: 8_030_261_312, architecture: 'llama' },
      },
    });
    expect(await lookUpInRegistry('hf.co/org/name:Q4_K_M', fetcher, never)).toMatchObject({
      billions: 8.030261312,
      contextLength: 131_072,
      licence: 'llama3.1',
      gated: true,
    });
  });

  it.each([
    [new Response('', { status: 404 }), 'model_not_found'],
    [new Response('', { status: 401 }), 'model_gated'],
    [new Response('', { status: 500 }), 'pull_failed'],
    [new TypeError('fetch failed'), 'pull_failed'],
    ['{"layers": "none"}', 'pull_failed'],
    ['no json', 'pull_failed'],
  ])('fails for the answer %s with %s', async (answer, code) => {
    const { fetcher } = registry({ 'https://registry.ollama.ai/v2/library/a/manifests/latest': answer });
    await expect(lookUpInRegistry('a', fetcher, never)).rejects.toMatchObject({ code });
  });

  it('says of a gated model that Ollama itself needs access, as no token of ours is used', async () => {
    const gated = { 'https://hf.co/v2/org/name/manifests/latest': new Response('', { status: 401 }) };
    await expect(lookUpInRegistry('hf.co/org/name', registry(gated).fetcher, never)).rejects.toMatchObject({
      code: 'model_gated',
      details: { model: 'hf.co/org/name', access: 'own-key' },
    });
  });

  it('knows the context and the cache of a model of the catalogue, which registries do not report', async () => {
    const url = 'https://registry.ollama.ai/v2/library/qwen3.8/manifests/27b';
    const found = await lookUpInRegistry('qwen3.8:27b', registry({ [url]: MANIFEST }).fetcher, never);
    expect(found).toMatchObject({ contextLength: 262_144, kvBytesPerToken: 65_536 });
  });

  it('fetches no large file, and does without one that is missing', async () => {
    const big = { ...MANIFEST, config: { ...MANIFEST.config, size: 1e9 } };
    const { fetcher, asked } = registry({ 'http://127.0.0.1:5000/v2/library/a/manifests/latest': big });
    const found = await lookUpInRegistry('127.0.0.1:5000/library/a', fetcher, never);
    expect(found).toMatchObject({ billions: null, licence: null });
    expect(asked.filter((url) => url.endsWith(digest('c')))).toEqual([]);
  });
});
