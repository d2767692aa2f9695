import { fakeAnswer, fakeLedger, fakeLife } from '../support/fake-snapshot';
import { MODEL_SCREENS } from './model-screens';
import { busy, chat, type Language, MLX, OLLAMA, queue, SCREENS, type Screen, user, WORDS } from './screens';

/** One picture of the project's README: its content and look. */
export interface ReadmePicture {
  screen: Screen;
  size: 'popover' | 'wide';
  theme: 'light' | 'dark';
  language: Language;
  /** Device pixels per CSS pixel; fewer where the file would exceed 250 kB. */
  scale: number;
}

const GREETING = 'Small things I answer right here; code goes to the heavy model.';
const SHORT_CODE = `\`\`\`python
from heapq import merge

def merged(a, b):
    return list(merge(a, b))
\`\`\``;

/** Thinking, formulas, a table and code in one popover. */
const QUADRATIC = `<think>
They ask for the *formula*.
</think>

The roots of \\(ax^2 + bx + c = 0\\) are

\\[
x_{1,2} = \\frac{-b \\pm \\sqrt{b^2 - 4ac}}{2a}
\\]

| \\(b^2 - 4ac\\) | Roots |
|---|---|
| above 0 | two real ones |
| below 0 | two complex ones |

\`\`\`python
from cmath import sqrt

def roots(a, b, c):
    d = sqrt(b * b - 4 * a * c)
    return (-b + d) / (2 * a), (-b - d) / (2 * a)
\`\`\``;

/** Small talk answered by MLX and code by Ollama, short enough for one popover. */
function both(language: Language) {
  const words = WORDS[language];
  return [
    user('u1', words.hello),
    fakeAnswer({ id: 'a1', replyTo: 'u1', text: GREETING, meta: MLX }),
    user('u2', 'Merge two sorted lists in Python'),
    fakeAnswer({
      id: 'a2',
      replyTo: 'u2',
      text: `The standard library walks both lists once:\n\n${SHORT_CODE}`,
      meta: OLLAMA,
    }),
  ];
}

/** Its second half, and a third answer in which Ollama replaced MLX. */
function rescued(language: Language) {
  const meta = {
    ...OLLAMA,
    model: 'qwen2.5:3b',
    category: 'fast' as const,
    reasons: ['rule:short-fact', 'fallback:mlx-out-of-memory'],
    ttftMs: 900,
    tokensPerSecond: 31,
  };
  return [
    ...both(language).slice(2),
    user('u3', 'And what does the name mean?'),
    fakeAnswer({
      id: 'a3',
      replyTo: 'u3',
      text: 'A merge: two sorted lists become one, as two queues do at one door. It is the second half of merge sort.',
      meta,
    }),
  ];
}

function screen(name: string): Screen {
  const found = [...SCREENS, ...MODEL_SCREENS].find((candidate) => candidate.name === name);
  if (!found) throw new Error(`no screen ${name}`);
  return found;
}

export const README_PICTURES: readonly ReadmePicture[] = [
  {
    screen: { ...screen('small-model-answer'), name: 'first-answer-light' },
    size: 'popover',
    theme: 'light',
    language: 'en',
    scale: 2,
  },
  {
    screen: { name: 'chat-light', core: (language) => chat(language, both(language)) },
    size: 'popover',
    theme: 'light',
    language: 'en',
    scale: 2,
  },
  {
    screen: { ...screen('status'), name: 'status-dark' },
    size: 'popover',
    theme: 'dark',
    language: 'en',
    scale: 2,
  },
  {
    screen: { ...screen('first-start'), name: 'first-start-light' },
    size: 'popover',
    theme: 'light',
    language: 'en',
    scale: 2,
  },
  {
    screen: { ...screen('models'), name: 'models-dark' },
    size: 'popover',
    theme: 'dark',
    language: 'en',
    scale: 2,
  },
  {
    screen: { ...screen('settings'), name: 'settings-ru' },
    size: 'popover',
    theme: 'light',
    language: 'ru',
    scale: 2,
  },
  {
    screen: {
      name: 'answer-dark',
      core: (language) =>
        chat(language, [
          user('u1', 'Solve a quadratic equation'),
          fakeAnswer({
            id: 'a1',
            replyTo: 'u1',
            text: QUADRATIC,
            meta: { ...OLLAMA, thinkingMs: 4_200, category: 'reasoning', model: 'deepseek-r1:32b' },
          }),
        ]),
    },
    size: 'popover',
    theme: 'dark',
    language: 'en',
    scale: 2,
  },
  {
    screen: { ...screen('chat-recovering'), name: 'trouble-light' },
    size: 'popover',
    theme: 'light',
    language: 'en',
    scale: 2,
  },
  {
    screen: {
      name: 'wide-light',
      press: { en: 'Why?', ru: 'Почему?' },
      pressLast: true,
      core: (language) =>
        chat(language, rescued(language), {
          ...busy,
          queue: queue(),
          ledger: fakeLedger(),
          life: fakeLife(),
        }),
    },
    size: 'wide',
    theme: 'light',
    language: 'en',
    scale: 1.4,
  },
];
