import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp } from '../support/app';

/** The starter model speaks alike out of both servers, asked through the gateway as any client does. */
interface Prompt {
  lang: string;
  kind: string;
  text: string;
}
interface Answer {
  text: string;
  reason: string;
  promptTokens: number;
}
interface Row extends Prompt {
  mlx: Answer;
  ollama: Answer;
}

const prompts: Prompt[] = JSON.parse(
  readFileSync(resolve(import.meta.dirname, '../fixtures/starter-prompts.json'), 'utf8'),
);
let app: App;
const rows: Row[] = [];

beforeAll(async () => {
  app = await startApp({ env: { MLX_RATE_LIMIT_MAX: '0' } });
  // Both at once: each server has its own slot.
  const [mlx, ollama] = await Promise.all([askAll('mlx'), askAll('ollama')]);
  for (const [index, prompt] of prompts.entries()) {
    const pair = { mlx: mlx[index], ollama: ollama[index] };
    if (pair.mlx && pair.ollama) rows.push({ ...prompt, mlx: pair.mlx, ollama: pair.ollama });
  }
});
afterAll(async () => {
  await app?.stop();
  await app?.remove();
});

async function askAll(backend: 'mlx' | 'ollama'): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (const { text } of prompts) answers.push(await ask(backend, text));
  return answers;
}

async function ask(backend: 'mlx' | 'ollama', content: string): Promise<Answer> {
  const response = await fetch(`${app.ready.gateway}/api/chat`, {
    method: 'POST',
    headers: { 'X-Tandem-Strict': 'true' },
    body: JSON.stringify({
      model: `${backend}/tandem-starter`,
      stream: false,
      messages: [{ role: 'user', content }],
    }),
  });
  const body = (await response.json()) as {
    message: { content: string };
    done_reason: string;
    prompt_eval_count: number;
  };
  expect(response.status, JSON.stringify(body)).toBe(200);
  expect(response.headers.get('x-tandem-backend')).toBe(backend);
  return { text: body.message.content, reason: body.done_reason, promptTokens: body.prompt_eval_count };
}

describe('the starter model in both servers', () => {
  it('gives the same greedy answer to at least 99 % of 200 prompts', () => {
    expect(rows).toHaveLength(200);
    const different = rows.filter(({ mlx, ollama }) => mlx.text !== ollama.text);
    expect(different.length, JSON.stringify(different, null, 1)).toBeLessThanOrEqual(rows.length * 0.01);
  });

  it('always says something and ends by itself', () => {
    const unfinished = rows.filter(({ mlx, ollama }) =>
      [mlx, ollama].some(({ reason, text }) => reason !== 'stop' || text.trim() === ''),
    );
    expect(unfinished).toEqual([]);
  });

  it('sees the same number of prompt tokens', () => {
    expect(rows.filter(({ mlx, ollama }) => mlx.promptTokens !== ollama.promptTokens)).toEqual([]);
  });
});
