import { SMALL_MODEL_NAME } from '../../../src/shared/domain.ts';
import { type App, startApp, until } from '../../support/app.ts';

/** Short English questions as users ask first: facts, words, lists, sums, code, small talk. */
export const QUESTIONS: readonly string[] = [
  'What is the capital of France?',
  'What is the capital of Japan?',
  'Which planet is the largest?',
  'Who wrote Romeo and Juliet?',
  'What is water made of?',
  'How many days are in a week?',
  'What colour is a ripe banana?',
  'Which ocean is the largest?',
  'What do bees make?',
  'Where do penguins live?',
  'What is the opposite of hot?',
  'What is the plural of mouse?',
  'Give a synonym of happy.',
  'Spell the word "house".',
  'Use the word "river" in a sentence.',
  'What does "enormous" mean?',
  'Correct this: she go to school.',
  'Name three fruits.',
  'Name four seasons.',
  'List two primary colours.',
  'Name a large animal.',
  'Name three musical instruments.',
  'Give me a title for a story about a dog.',
  'Suggest a name for a cat.',
  'What is 2 plus 2?',
  'What is 7 times 8?',
  'Is 9 a prime number?',
  'Which is more, 15 or 51?',
  'Write a line of Python that prints hello.',
  'How do I make a list in Python?',
  'What does HTML stand for?',
  'What does git commit do?',
  'Why is the sky blue?',
  'Why do leaves fall?',
  'How is tea made?',
  'What should I do when I am tired?',
  'Hello, how are you?',
  'Who are you?',
  'Thank you!',
  'Tell me a fact about the Moon.',
];

const SERVERS = ['mlx', 'ollama'] as const;
/** MLX computes about seven tokens per second on a CPU. */
const TOKENS = 24;

export interface QuestionsApp {
  app: App;
  close(): Promise<void>;
}

export interface Answer {
  server: (typeof SERVERS)[number];
  text: string;
  /** Ended by the token limit. */
  cut: boolean;
  seconds: number;
  /** Formal faults of the answer, independent of its content; empty = none. */
  faults: string[];
}

/** The built app with the real small model on both real servers. */
export async function openQuestions(): Promise<QuestionsApp> {
  const app = await startApp({ env: { MLX_RATE_LIMIT_MAX: '0' } });
  const close = async () => {
    await app.stop();
    await app.remove();
  };
  try {
    for (const server of SERVERS)
      await until(async () => (await askOne(app, 'Hello', server)).faults.length === 0, `${server} answers`);
    return { app, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Sends the question to both servers, one after the other. */
export async function askBoth(app: App, question: string, tokens = TOKENS): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (const server of SERVERS) answers.push(await askOne(app, question, server, tokens));
  return answers;
}

async function askOne(
  app: App,
  question: string,
  server: Answer['server'],
  tokens = TOKENS,
): Promise<Answer> {
  const begun = performance.now();
  const response = await fetch(`${app.ready.gateway}/api/chat`, {
    method: 'POST',
    headers: { 'x-tandem-strict': 'true' },
    body: JSON.stringify({
      model: `${server}/${SMALL_MODEL_NAME}`,
      stream: false,
      messages: [{ role: 'user', content: question }],
      options: { num_predict: tokens, temperature: 0 },
    }),
  });
  const body = (await response.json()) as {
    message?: { content: string };
    done_reason?: string;
    error?: string;
  };
  const text = body.message?.content.trim() ?? '';
  const faults: string[] = [];
  if (response.status !== 200) faults.push(`status ${response.status}: ${body.error}`);
  if (text === '') faults.push('empty');
  if (!['stop', 'length'].includes(body.done_reason ?? '')) faults.push(`ended by ${body.done_reason}`);
  if (response.headers.get('x-tandem-backend') !== server) faults.push('wrong backend in the label');
  if (response.headers.get('x-tandem-model') !== SMALL_MODEL_NAME) faults.push('wrong model in the label');
  const seconds = (performance.now() - begun) / 1000;
  return { server, text, cut: body.done_reason === 'length', seconds, faults };
}
