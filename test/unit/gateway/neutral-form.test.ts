import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NdjsonReader } from '../../../src/main/backends/dialects/ollama/protocol';
import { toOllamaCall } from '../../../src/main/backends/dialects/ollama/request';
import { SseReader } from '../../../src/main/backends/dialects/openai/protocol';
import type { FrameReader } from '../../../src/main/backends/dialects/stream-completion';
import { ollamaEncoder } from '../../../src/main/gateway/dialects/ollama';
import { readChat } from '../../../src/main/gateway/dialects/ollama-request';
import { emptyTrail } from '../../../src/main/gateway/trail';
import type { CompletionChunk, CompletionEnd, Dialect, Output } from '../../../src/shared/completion';
import { INSTANCES } from '../../support/backends';

const RUN = { seed: 1, numRuns: 200 };
const RULES = {
  modelOptional: false,
  defaultCategory: undefined,
  firstBackend: undefined,
  backends: INSTANCES,
  named: () => [],
};

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
const values = fc.dictionary(text, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3, noNullPrototype: true });
/** Fields that no version of Ollama has. */
const unknown = fc.dictionary(
  text.map((name) => `x_${name}`),
  fc.oneof(fc.boolean(), text, values),
  { maxKeys: 2, noNullPrototype: true },
);
/** An object with all fields of one record, any of another's, and unknown ones. */
function object<T extends object>(needed: T, wanted: object): fc.Arbitrary<Record<string, unknown>> {
  const known = fc.record({ ...needed, ...wanted } as Record<string, fc.Arbitrary<unknown>>, {
    requiredKeys: Object.keys(needed),
  });
  return fc.tuple(unknown, known).map(([more, fields]) => ({ ...more, ...fields }));
}

const call = object(
  { function: object({ name: text, arguments: values }, { index: fc.nat(9) }) },
  { id: text, type: fc.constant('function') },
);
const tool = object(
  {
    type: fc.constant('function'),
    function: object({ name: text }, { description: text, parameters: values }),
  },
  {},
);
const message = object(
  { role: fc.constantFrom('system', 'user', 'assistant', 'tool'), content: fc.string({ unit: 'grapheme' }) },
  {
    thinking: text,
    images: fc.array(fc.base64String({ minLength: 4 }), { minLength: 1, maxLength: 2 }),
    tool_calls: fc.array(call, { minLength: 1, maxLength: 3 }),
    tool_name: text,
    tool_call_id: text,
  },
);
const options = object(
  {},
  {
    temperature: fc.integer({ min: 0, max: 2 }),
    top_k: fc.nat(100),
    num_predict: fc.integer({ min: 1, max: 9 }),
    stop: fc.array(text, { minLength: 1, maxLength: 2 }),
    num_ctx: fc.integer({ min: 1, max: 9_000 }),
    mirostat: fc.nat(2),
  },
);
const chat = object(
  { model: fc.constant('llama'), messages: fc.array(message, { minLength: 1, maxLength: 4 }) },
  {
    tools: fc.array(tool, { minLength: 1, maxLength: 2 }),
    options: options.filter((fields) => Object.keys(fields).length > 0),
    format: fc.oneof(fc.constant('json'), values),
    think: fc.constantFrom(true, false, 'high'),
    keep_alive: fc.constantFrom(0, 5, '5m'),
    truncate: fc.boolean(),
    shift: fc.boolean(),
  },
);

/** The server must not cut what does not fit. */
const WHOLE = { truncate: false };

/** The body that an Ollama server gets for the body of a client. */
async function sent(body: object, dialect?: Dialect): Promise<Record<string, unknown>> {
  const { request } = await readChat(JSON.parse(JSON.stringify(body)), RULES);
  const call = toOllamaCall({ ...request, ...(dialect ? { dialect } : {}), id: 'r', model: 'llama' });
  return JSON.parse(JSON.stringify(call.body));
}

describe('a chat request of an Ollama client', () => {
  it('reaches an Ollama server as it came, with the fields that the form lacks', () =>
    fc.assert(
      fc.asyncProperty(chat, async (body) => {
        const { shift: _, ...came } = JSON.parse(JSON.stringify(body));
        expect(await sent(body)).toEqual({ ...came, ...WHOLE, stream: true });
      }),
      RUN,
    ));

  it('reaches a server of another dialect without those fields', () =>
    fc.assert(
      fc.asyncProperty(chat, async (body) => {
        const written = JSON.stringify(await sent(body, 'openai'));
        expect(written).not.toContain('"x_');
        expect(written).not.toMatch(/"(shift|mirostat)"|"truncate":true/);
      }),
      RUN,
    ));

  const plain = { role: 'user', content: 'hi' };
  const named = { name: 'f', arguments: {} };
  it.each<[string, { messages: object[]; tools?: object[] }]>([
    ['message', { messages: [{ ...plain, x_a: 1 }] }],
    ['message that is no result', { messages: [{ ...plain, tool_name: 'x_f', tool_call_id: 'x_1' }] }],
    ['call', { messages: [{ ...plain, tool_calls: [{ x_a: 1, function: named }] }] }],
    ['called function', { messages: [{ ...plain, tool_calls: [{ function: { ...named, x_a: 1 } }] }] }],
    ['tool', { messages: [plain], tools: [{ type: 'function', x_a: 1, function: { name: 'f' } }] }],
    [
      'described function',
      { messages: [plain], tools: [{ type: 'function', function: { name: 'f', x_a: 1 } }] },
    ],
  ])('reaches an Ollama server, and no other, with a field that only a %s has', async (_, parts) => {
    const body = { model: 'llama', ...parts };
    expect(await sent(body)).toEqual({ ...body, ...WHOLE, stream: true });
    expect(JSON.stringify(await sent(body, 'openai'))).not.toContain('"x_');
  });

  it('has no field that the server would read as another one', async () => {
    const body = {
      model: 'llama',
      Model: 'other',
      'MES\u017fAGES': [],
      'to\u006fls': [],
      Options: { num_ctx: 1 },
      'ta\u212ae': 1,
      messages: [{ role: 'user', content: 'hi', Content: 'other', Images: ['QQ=='] }],
    };
    expect(await sent(body)).toEqual({
      ...WHOLE,
      model: 'llama',
      stream: true,
      messages: [{ role: 'user', content: 'hi' }],
      'ta\u212ae': 1,
    });
  });

  it('is refused with over a thousand unknown fields', async () => {
    const many = Object.fromEntries(Array.from({ length: 1_001 }, (_, index) => [`x_${index}`, 1]));
    const refused = expect.objectContaining({ code: 'bad_request' });
    await expect(sent({ model: 'm', messages: [], ...many })).rejects.toEqual(refused);
    await expect(sent({ model: 'm', messages: [{ role: 'user', ...many }] })).rejects.toEqual(refused);
  });
});

const output: fc.Arbitrary<Output> = fc.oneof(
  fc.record({ type: fc.constant('text' as const), text }),
  fc.record({ type: fc.constant('thinking' as const), text }),
  fc.record({
    type: fc.constant('tool_call' as const),
    index: fc.constant(0),
    id: text,
    name: text,
    arguments: values.map((given) => JSON.parse(JSON.stringify(given))),
  }),
);
/** A server numbers its calls. */
const outputs = fc.array(output, { maxLength: 8 }).map((events) => {
  let calls = 0;
  return events.map((event) => (event.type === 'tool_call' ? { ...event, index: calls++ } : event));
});
const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 });

/** Reads a text that arrives in chunks of the given sizes, used in turn. */
function readIn(chunks: readonly number[], reader: FrameReader, all: string): CompletionChunk[] {
  const bytes = new TextEncoder().encode(all);
  const found: CompletionChunk[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const end = at + (chunks[turn % chunks.length] ?? 1);
    found.push(...reader.push(bytes.subarray(at, end)));
    at = end;
  }
  return [...found, ...reader.finish()];
}

const END: CompletionEnd = { reason: 'stop', promptTokens: 3, completionTokens: 5 };
const FINISH = { requestId: 'r', end: END, trail: emptyTrail(), totalMs: 1, visibleMs: 1 };

function written(events: readonly Output[]): string {
  const encoder = ollamaEncoder('chat', 'llama', () => new Date(0));
  return events.map((event) => encoder.frame(event)).join('') + encoder.last(FINISH);
}

describe('the events of an answer', () => {
  it('are the same after Ollama frames of them were written and read, in chunks of any size', () =>
    fc.assert(
      fc.property(outputs, sizes, (events, chunks) => {
        const found = readIn(chunks, new NdjsonReader(), written(events));
        expect(found.slice(0, -1)).toEqual(events);
        expect(found.at(-1)).toMatchObject({ type: 'end', end: { promptTokens: 3, completionTokens: 5 } });
      }),
      RUN,
    ));

  it('do not depend on the chunks in which MLX sends them', () =>
    fc.assert(
      fc.property(fc.array(text, { maxLength: 8 }), sizes, (texts, chunks) => {
        const frame = (choice: object) => `data: ${JSON.stringify({ choices: [choice] })}\n\n`;
        const frames = texts.map((content) => `: keepalive 1/2\n\n${frame({ delta: { content } })}`);
        const all = `${frames.join('')}${frame({ finish_reason: 'stop' })}data: [DONE]\n\n`;
        expect(readIn(chunks, new SseReader('MLX'), all)).toEqual(
          readIn([all.length * 4], new SseReader('MLX'), all),
        );
      }),
      RUN,
    ));

  it('that come in pieces of a tool call are one call, with broken arguments an error', () =>
    fc.assert(
      fc.property(values, sizes, (given, chunks) => {
        const json = JSON.stringify(given);
        const pieces: Output[] = [{ type: 'tool_call', index: 0, id: 'c', name: 'f', arguments: '' }];
        for (let at = 0, turn = 0; at < json.length; turn += 1) {
          const end = at + (chunks[turn % chunks.length] ?? 1);
          pieces.push({ type: 'tool_call', index: 0, arguments: json.slice(at, end) });
          at = end;
        }
        const [call] = readIn([1_000], new NdjsonReader(), written(pieces));
        expect(call).toEqual({
          type: 'tool_call',
          index: 0,
          id: 'c',
          name: 'f',
          arguments: JSON.parse(json),
        });
        const broken: Output = { type: 'tool_call', index: 0, arguments: '!' };
        expect(() => written([...pieces, broken])).toThrow(
          expect.objectContaining({ code: 'backend_failed' }),
        );
      }),
      RUN,
    ));
});
