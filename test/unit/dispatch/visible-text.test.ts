import { describe, expect, it } from 'vitest';
import { EchoGuard, isEcho } from '../../../src/main/dispatch/visible-text';
import { seeded } from '../../support/seeded';

const letters = (count: number, letter = 'a') => letter.repeat(count);
const PROMPT = 'Tell me in a few words why the sea is salty and rivers are not';

describe('isEcho', () => {
  const cases: [what: string, reply: string, prompt: string, echo: boolean, ended?: 'stop' | 'length'][] = [
    ['the prompt, as it is', PROMPT, PROMPT, true],
    ['with space around it', `\n ${PROMPT} `, PROMPT, true],
    ['equal but short', 'hello', 'hello', false],
    ['equal with 19 characters', letters(19), letters(19), false],
    ['equal with 20 characters', letters(20), letters(20), true],
    ['equal with 500 characters', letters(500), letters(500), true],
    ['equal with 501 characters', letters(501), letters(501), false],
    ['a passage of 50 characters', PROMPT.slice(0, 50), PROMPT, false],
    ['cut off after 50 characters of the prompt', PROMPT.slice(0, 50), PROMPT, true, 'length'],
    ['cut off after 49 characters of the prompt', PROMPT.slice(0, 49), PROMPT, false, 'length'],
    ['cut off after 500 characters of the prompt', letters(500), letters(600), true, 'length'],
    ['cut off after 501 characters of the prompt', letters(501), letters(600), false, 'length'],
    ['the prompt and a little more', `${PROMPT}?`, PROMPT, false],
    ['the prompt and more, cut off', `${PROMPT} and`, PROMPT, false, 'length'],
    ['a short honest reply', 'Yes', PROMPT, false],
    ['an answer', 'Rivers carry salt into the sea, and only water leaves it again.', PROMPT, false],
    ['nothing', '', PROMPT, false],
  ];
  it.each(cases)('%s', (_what, reply, prompt, echo, ended = 'stop') => {
    expect(isEcho(reply, prompt, ended)).toBe(echo);
  });
});

/** Feeds a reply in pieces; returns the output after each piece, and the verdict. */
function stream(pieces: string[], prompt: string, ended: 'stop' | 'length' = 'stop') {
  const guard = new EchoGuard(prompt);
  const out = pieces.map((piece) => {
    const step = guard.feed(piece);
    return step.kind === 'released' ? step.text : null;
  });
  const echo = guard.isEcho(ended);
  return { out, echo, rest: guard.release() };
}

describe('EchoGuard', () => {
  it('holds back a possible echo and releases all of it at the first difference', () => {
    expect(stream(['Tell me', ' in a', ' moment', ', please'], PROMPT)).toEqual({
      out: [null, null, 'Tell me in a moment', ', please'],
      echo: false,
      rest: '',
    });
  });

  it('holds back nothing of a reply that begins differently', () => {
    expect(stream(['Rivers', ' carry'], PROMPT).out).toEqual(['Rivers', ' carry']);
  });

  it('never holds back anything when the prompt is too short to be echoed', () => {
    expect(stream(['hel', 'lo'], 'hello').out).toEqual(['hel', 'lo']);
  });

  it('shows nothing of an echo', () => {
    expect(stream([PROMPT.slice(0, 30), PROMPT.slice(30)], PROMPT)).toMatchObject({
      out: [null, null],
      echo: true,
    });
  });

  it('releases a reply as soon as it goes beyond the prompt', () => {
    expect(stream([PROMPT, '?', ' Well'], PROMPT)).toEqual({
      out: [null, `${PROMPT}?`, ' Well'],
      echo: false,
      rest: '',
    });
  });

  it('holds back at most 500 characters', () => {
    const { out } = stream([letters(500), 'a'], letters(2000));
    expect(out).toEqual([null, letters(501)]);
  });

  it('returns the same verdict however a reply is split into pieces (seeded)', () => {
    const random = seeded(7);
    const prompts = [PROMPT, 'hello', letters(30), letters(120), letters(480), letters(900)];
    const replies = prompts.flatMap((prompt) => [
      prompt,
      ` ${prompt} \n`,
      prompt.slice(0, 60),
      `${prompt} and so on`,
      `${prompt}${letters(300, 'b')}`,
      'Something else entirely.',
    ]);
    for (const prompt of prompts) {
      for (const reply of replies) {
        const pieces: string[] = [];
        for (let at = 0; at < reply.length; ) {
          const end = at + 1 + Math.floor(random() * 40);
          pieces.push(reply.slice(at, end));
          at = end;
        }
        const ended = random() < 0.5 ? 'stop' : 'length';
        const { out, echo, rest } = stream(pieces, prompt, ended);
        expect(echo).toBe(isEcho(reply, prompt, ended));
        if (!echo) expect(out.map((text) => text ?? '').join('') + rest).toBe(reply);
        else expect(out.every((text) => text === null)).toBe(true);
      }
    }
  });
});
