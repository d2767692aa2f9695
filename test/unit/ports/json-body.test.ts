import { describe, expect, it } from 'vitest';
import { jsonBody, PIECE } from '../../../src/main/ports/json-body';
import { seeded } from '../../support/seeded';

const noTurn = async () => {};

async function textOf(value: object): Promise<string> {
  const body = await jsonBody(value, noTurn);
  return typeof body === 'string' ? body : Buffer.concat(body).toString();
}

const LONG = 'x'.repeat(PIECE);
const VALUES: Record<string, object> = {
  'a long text': { messages: [{ role: 'user', content: 'word "\\\n\u0000 '.repeat(100_000) }] },
  'many messages': { messages: Array(3_000).fill({ role: 'user', content: 'ж'.repeat(200) }), stream: true },
  'a long text in lists': [[[[LONG, [LONG], {}]], null, true, 1.5, Number.POSITIVE_INFINITY]],
  'what is left out': { a: undefined, b: LONG, c: undefined },
  'nothing that stays': [LONG, { a: undefined }, [], {}],
  'long keys': { [LONG]: { [`${LONG}"`]: LONG } },
  'many numbers': { tools: Array(90_000).fill(1234) },
  'many fields': Object.fromEntries(Array.from({ length: 40_000 }, (_, index) => [`key ${index}`, index])),
  'a key that names the prototype': JSON.parse(`{"__proto__":{"a":"${LONG}"}}`),
};

describe('the JSON text of a long value', () => {
  it.each(Object.entries(VALUES))('is that of JSON.stringify: %s', async (_name, value) => {
    expect((await textOf(value)) === JSON.stringify(value)).toBe(true);
  });

  it('splits no surrogate pair', async () => {
    const random = seeded(11);
    const units = ['a', '😀', '\ud83d', '\ude00', 'ж'];
    for (let offset = 0; offset < 40; offset += 1) {
      const middle = Array.from({ length: 30 }, () => units[Math.floor(random() * units.length)]).join('');
      const text = `${'x'.repeat(PIECE - offset)}${middle}${'y'.repeat(PIECE)}`;
      expect((await textOf([text])) === JSON.stringify([text])).toBe(true);
    }
  });

  it.each(Object.entries(VALUES))(
    'comes in bounded pieces, with a turn after each: %s',
    async (_name, value) => {
      let turns = 0;
      const body = await jsonBody(value, async () => {
        turns += 1;
      });
      const pieces = body as Buffer[];
      const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
      expect(turns).toBeGreaterThanOrEqual(Math.floor(length / (4 * PIECE)));
      // A piece may exceed its size by one part; the longest part is text in which every character is escaped.
      for (const piece of pieces) expect(piece.length).toBeLessThanOrEqual(4 * PIECE);
    },
  );

  it('stops with its caller', async () => {
    const left = new Error('left');
    await expect(jsonBody([LONG.repeat(5)], () => Promise.reject(left))).rejects.toBe(left);
  });
});

it('the JSON text of a short value is written at once', async () => {
  const turn = () => Promise.reject(new Error('no turn'));
  expect(await jsonBody({ model: 'm', messages: [{ role: 'user', content: 'hi' }] }, turn)).toBe(
    '{"model":"m","messages":[{"role":"user","content":"hi"}]}',
  );
});
