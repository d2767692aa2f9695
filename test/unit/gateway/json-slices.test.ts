import { describe, expect, it } from 'vitest';
import { SLICE } from '../../../src/main/gateway/json-reader';
import { parseInSlices } from '../../../src/main/gateway/json-slices';
import { seeded } from '../../support/seeded';

const noTurn = async () => {};
const read = (text: string | Buffer) => parseInSlices([Buffer.from(text as string)], noTurn);

/** The result of `JSON.parse` on the same bytes; null for invalid JSON. */
function expected(bytes: Buffer): { value: unknown } | null {
  try {
    return { value: JSON.parse(bytes.toString()) };
  } catch {
    return null;
  }
}

async function expectSame(bytes: Buffer, window?: number): Promise<boolean> {
  const wanted = expected(bytes);
  const found = await parseInSlices([bytes], noTurn, window).then(
    (value) => ({ value }),
    () => null,
  );
  // Also compared as text, which shows the order of keys and which properties are own.
  expect(found).toEqual(wanted);
  expect(JSON.stringify(found)).toBe(JSON.stringify(wanted));
  return wanted !== null;
}

const TEXTS = [
  '',
  'a',
  'ж',
  '😀',
  '"',
  '\\',
  '\n',
  '\u0000',
  '\u2028',
  '\ud83d',
  '\\u0041',
  'line\tend',
  '__proto__',
];
/** Node 24's own parser mistakes some keys with a backslash for others that it has seen before. */
const KEYS = TEXTS.filter((text) => !text.includes('\\'));
const SCALARS = ['0', '-0', '1e999', '-1.5E-3', 'true', 'false', 'null', '123456789012345678901234567890'];
const BLANKS = ['', ' ', '\n\t', '\r\n  '];

/** The text of a value, with spaces and escapes wherever they are allowed. */
function textOf(random: () => number, depth = 0): string {
  const pick = <T>(from: readonly T[]) => from[Math.floor(random() * from.length)] as T;
  const blank = () => pick(BLANKS);
  const string = (texts = TEXTS) =>
    random() < 0.5
      ? JSON.stringify(pick(texts) + pick(texts))
      : `"${pick(['\\ud83d\\ude00', '\\/', '\\u00e9', 'é'])}"`;
  const sort = depth > 5 ? 0 : random();
  if (sort < 0.3) return pick(SCALARS);
  if (sort < 0.5) return string();
  const items = Array.from({ length: Math.floor(random() * 4) }, () => {
    const item = `${blank()}${textOf(random, depth + 1)}${blank()}`;
    return sort < 0.75 ? item : `${blank()}${string(KEYS)}${blank()}:${item}`;
  }).join(',');
  return sort < 0.75 ? `[${items}${blank()}]` : `{${items}${blank()}}`;
}

describe('a body read in slices', () => {
  it('has the same value as from JSON.parse', async () => {
    const random = seeded(3);
    for (let round = 0; round < 3_000; round += 1) {
      expect(await expectSame(Buffer.from(textOf(random)), 8 + (round % 40))).toBe(true);
    }
  });

  it('is rejected where JSON.parse rejects it', async () => {
    const random = seeded(5);
    let refused = 0;
    for (let round = 0; round < 6_000; round += 1) {
      const bytes = Buffer.from(textOf(random));
      const at = Math.floor(random() * bytes.length);
      const wrong =
        random() < 0.5 ? Math.floor(random() * 256) : '[]{},:"\\ u0e-'.charCodeAt(Math.floor(random() * 13));
      const cut = random() < 0.3 ? bytes.subarray(0, at) : bytes;
      if (cut === bytes) bytes[at] = wrong;
      if (!(await expectSame(cut, 8 + (round % 40)))) refused += 1;
    }
    expect(refused).toBeGreaterThan(2_000);
  });

  it.each([
    '',
    ' ',
    '1 2',
    '[1,]',
    '{"a":1,}',
    '{,}',
    '{"a"}',
    '{1:2}',
    '[1}',
    '{"a":]',
    '"a',
    '"\\',
    '"\\u12"',
    '\ufeff{}',
  ])('is rejected: %j', async (text) => {
    await expect(read(text)).rejects.toThrow(SyntaxError);
  });

  it('keeps a key named like the prototype as a plain key', async () => {
    const value = await read('{"__proto__":{"a":1},"b":2,"b":3}');
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(JSON.stringify(value)).toBe('{"__proto__":{"a":1},"b":3}');
  });

  it('splits no character and no escape, wherever a window ends', async () => {
    for (const unit of ['ж', '😀', '€', '\\n', '\\u00e9', '\\ud83d\\ude00', '\\\\', '\\"', '12345']) {
      for (let offset = 0; offset < 24; offset += 1) {
        const text = 'x'.repeat(offset) + unit.repeat(40) + 'y'.repeat(10);
        await expectSame(Buffer.from(`{"${text}":["${text}",${'7'.repeat(offset)}1.5e3]}`), 16);
      }
    }
  });

  it('has the value of a text with bytes that are not UTF-8, split or not', async () => {
    const random = seeded(9);
    for (let round = 0; round < 2_000; round += 1) {
      const bad = Buffer.from(Array.from({ length: 16 }, () => 0x80 + Math.floor(random() * 128)));
      const head = Buffer.from(`"${'x'.repeat(Math.floor(random() * 16))}`);
      await expectSame(Buffer.concat([head, bad, Buffer.from('tail"')]), 16);
    }
  });
});

describe('the slices of a body', () => {
  const BODIES: Record<string, string> = {
    'one long text': `{"messages":[{"role":"user","content":"${'word '.repeat(400_000)}"}]}`,
    'one long text of escapes': `["${'\\n'.repeat(1_000_000)}"]`,
    'many messages': JSON.stringify(Array(10_000).fill({ role: 'user', content: 'word '.repeat(40) })),
    'many values': `[${'1,'.repeat(99_000)}1]`,
    blanks: `[${' '.repeat(2_000_000)}]`,
  };

  it.each(Object.entries(BODIES))('are bounded: %s', async (_name, text) => {
    let turns = 0;
    await parseInSlices([Buffer.from(text)], async () => {
      turns += 1;
    });
    const values = text.split(/[,[{]/).length;
    // A slice ends with the token that fills it.
    expect(turns).toBeGreaterThanOrEqual(Math.floor((text.length + 128 * values) / (2 * SLICE)));
    expect(turns).toBeLessThanOrEqual(2 + Math.ceil((text.length + 128 * 4 * values) / SLICE));
  });

  it.each([
    ['a number', (length: number) => `[${'1'.repeat(length)}]`],
    ['a field name', (length: number) => `{"${'k'.repeat(length)}":1}`],
  ])('are rejected with a token that takes one long step: %s', async (_what, make) => {
    await expectSame(Buffer.from(make(SLICE - 1000)));
    const error = { code: 'bad_request', message: expect.stringContaining('256 kB') };
    await expect(parseInSlices([Buffer.from(make(2 * SLICE))], noTurn)).rejects.toMatchObject(error);
  });

  it('stop when the client disconnects', async () => {
    const left = new Error('left');
    const text = JSON.stringify('x'.repeat(10 * SLICE));
    await expect(parseInSlices([Buffer.from(text)], () => Promise.reject(left))).rejects.toBe(left);
  });
});
