/**
 * Requests of gateway clients that are known to crash a bare mlx_lm.server 0.32.2, or to make its answer empty. A body
 * that is a string is not valid JSON.
 */
export interface Poison {
  what: string;
  path: '/api/chat' | '/api/generate';
  body: Record<string, unknown> | string;
  /** `sent` = goes to MLX with these fields; `refused` = 400 that names the field; `elsewhere` = not for MLX. */
  outcome:
    | { kind: 'sent'; fields: Record<string, unknown> }
    | { kind: 'refused'; field: RegExp }
    | { kind: 'elsewhere'; field: string };
  /** Longer than any context, so the router keeps it away from MLX in any case. */
  tooLong?: true;
}

/** The vocabulary of the model must have fewer tokens than this. */
export const MORE_THAN_ANY_VOCABULARY = 1_000_000;

const say = [{ role: 'user', content: 'hello' }];

function option(what: string, options: Record<string, unknown>, outcome: Poison['outcome']): Poison {
  return {
    what,
    path: '/api/chat',
    body: { messages: say, options: { num_predict: 4, ...options } },
    outcome,
  };
}

function prompt(what: string, body: Record<string, unknown>, outcome: Poison['outcome']): Poison {
  return { what, path: '/api/generate', body: { options: { num_predict: 4 }, ...body }, outcome };
}

function message(what: string, content: Record<string, unknown>, outcome: Poison['outcome']): Poison {
  return { what, path: '/api/chat', body: { messages: [{ role: 'user', ...content }] }, outcome };
}

const refused = (field: RegExp): Poison['outcome'] => ({ kind: 'refused', field });
const sent = (fields: Record<string, unknown> = {}): Poison['outcome'] => ({ kind: 'sent', fields });

export const POISON: readonly Poison[] = [
  option('stop: a number', { stop: 5 }, refused(/stop/)),
  option('stop: a boolean', { stop: true }, refused(/stop/)),
  option('stop: a list of numbers', { stop: [5] }, refused(/stop/)),
  option('stop: a list of nulls', { stop: [null] }, refused(/stop/)),
  option('stop: a hundred words', { stop: Array(100).fill('x') }, refused(/stop/)),
  option('stop: empty words', { stop: ['', ''] }, sent({ stop: undefined })),
  option('stop: half a surrogate pair', { stop: ['\ud800'] }, sent({ stop: ['\ufffd'] })),
  option(
    'top_k: the vocabulary and more',
    { temperature: 1, top_k: MORE_THAN_ANY_VOCABULARY },
    sent({ top_k: 'clamped' }),
  ),
  option(
    'top_k: too large, with a seed, which poisons the next request',
    { temperature: 1, top_k: MORE_THAN_ANY_VOCABULARY, seed: 7 },
    sent({ top_k: 'clamped', seed: 7 }),
  ),
  option('top_k: negative', { temperature: 1, top_k: -1 }, sent({ top_k: 0 })),
  option('min_p: too large', { temperature: 1, min_p: 1.5 }, refused(/min_p/)),
  option('top_p: negative', { temperature: 1, top_p: -0.5 }, refused(/top_p/)),
  option('temperature: negative', { temperature: -1 }, refused(/temperature/)),
  option('temperature: a text', { temperature: 'hot' }, refused(/temperature/)),
  option('temperature: nearly nothing', { temperature: 1e-300 }, sent({ temperature: 1e-300 })),
  option('repeat_penalty: nearly nothing', { repeat_penalty: 1e-300 }, sent({ repetition_penalty: 1e-300 })),
  option('repeat_penalty: nothing', { repeat_penalty: 0, temperature: 1 }, sent({ repetition_penalty: 0 })),
  option('repeat_penalty: negative', { repeat_penalty: -1 }, refused(/repeat_penalty/)),
  option('seed: by chance', { seed: -1 }, sent({ seed: undefined })),
  option('seed: negative', { seed: -5 }, refused(/seed/)),
  option('seed: more than 64 bits', { seed: 2 ** 70 }, refused(/seed/)),
  {
    ...option('num_predict: enormous', { num_predict: 1e9, stop: ['e', 'a', 'i', 'o', 't', ' '] }, sent()),
    tooLong: true,
  },
  option(
    'xtc_threshold above a half',
    { temperature: 1, xtc_threshold: 0.9, xtc_probability: 1 },
    sent({ xtc_threshold: undefined, xtc_probability: undefined }),
  ),
  option(
    'logit_bias outside the vocabulary',
    { logit_bias: { [MORE_THAN_ANY_VOCABULARY]: 5 } },
    sent({ logit_bias: undefined }),
  ),
  option('logit_bias of null', { logit_bias: { 1: null } }, sent({ logit_bias: undefined })),
  option('adapters', { adapters: '/nowhere', draft_model: 'x' }, sent({ adapters: undefined })),
  {
    what: 'NaN',
    path: '/api/chat',
    body: `{"messages":${JSON.stringify(say)},"options":{"min_p":NaN}}`,
    outcome: refused(/JSON/i),
  },
  {
    what: 'a number beyond all',
    path: '/api/chat',
    body: `{"messages":${JSON.stringify(say)},"options":{"temperature":1e999}}`,
    outcome: refused(/temperature/),
  },
  prompt('prompt: empty and raw (only loads)', { prompt: '', raw: true }, sent()),
  prompt('prompt: blanks and raw', { prompt: ' \n\t', raw: true }, refused(/prompt/)),
  prompt('prompt: controls and raw', { prompt: '\u0000\u200b', raw: true }, refused(/prompt/)),
  prompt('prompt: a list', { prompt: ['a', 'b'] }, refused(/prompt/)),
  prompt('prompt: tokens', { prompt: [1, 2, 3], raw: true }, refused(/prompt/)),
  prompt('prompt: half a surrogate pair', { prompt: 'a\ud800', raw: true }, sent({ prompt: 'a\ufffd' })),
  message('message: empty', { content: '' }, sent()),
  message('message: a number', { content: 5 }, refused(/messages\.0\.content/)),
  message(
    'message: parts with an address of an image',
    { content: [{ type: 'image_url', image_url: { url: 'http://127.0.0.1:9/x.png' } }] },
    refused(/messages\.0\.content/),
  ),
  message(
    'images: an address',
    { content: 'look', images: ['http://127.0.0.1:9/x.png'] },
    { kind: 'elsewhere', field: 'images' },
  ),
  { what: 'messages: a text', path: '/api/chat', body: { messages: 'hello' }, outcome: refused(/messages/) },
  {
    what: 'messages: without roles',
    path: '/api/chat',
    body: { messages: [{ content: 'hello' }] },
    outcome: refused(/messages\.0\.role/),
  },
  {
    what: 'messages: more than any context',
    path: '/api/chat',
    body: { messages: [{ role: 'user', content: 'word '.repeat(400_000) }] },
    outcome: refused(/messages/),
    tooLong: true,
  },
];
