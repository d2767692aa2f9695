import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mlxPython, ollamaProgram, SMALL_MODELFILE, smallModel } from '../support/runtimes.js';
import { tempDir } from '../support/temp-dir.js';

/**
 * Compares the conversion for MLX with llama.cpp, which reads the GGUF directly: the same tokens for every text, and
 * nearly the same probabilities (llama.cpp rounds activations, MLX does not).
 */
const TEXTS = [
  'Hello, world!',
  'What is the capital of France?',
  '<|im_start|>user\nHi<|im_end|>\n',
  '  two  spaces   three',
  ' leading',
  'trailing ',
  '\n\n\nnewlines\n\n',
  '\ttabs\t\tand\r\nreturns\r\n',
  '1234567890',
  '3.14159 and 1,000,000',
  'in 1999, 42% of 7',
  'a1b2c3',
  "don't can't I'll we've you're he'd it's",
  "DON'T I'LL",
  'snake_case camelCase kebab-case',
  'def f(x):\n    return x ** 2\n',
  'for (let i = 0; i < 10; i++) { sum += a[i]; }',
  '#include <stdio.h>\nint main(void) { return 0; }',
  'SELECT * FROM t WHERE a = 1;',
  '{"key": [1, 2, {"x": null}]}',
  'https://example.org/path?q=a%20b&c=d#e',
  'Привет, как дела?',
  'Ёжик 2024 года',
  '你好，世界',
  'こんにちは世界',
  '안녕하세요',
  'مرحبا بالعالم',
  'שלום עולם',
  'नमस्ते दुनिया',
  'Ünïcödé façade naïve',
  'e\u0301 combining',
  '😀 👩‍👩‍👧‍👦 🇫🇷',
  '½ ² ③ Ⅳ ٣ १२३',
  '—“quotes”…',
  '!!!???...',
  '$€£¥ @#%^&*',
  'ALL CAPS TEXT',
  'x'.repeat(100),
  'supercalifragilisticexpialidocious',
  'a\u00a0no-break\u2009thin\u200bzero',
  '\u0000\u0001control',
  '`code` ```block``` **bold**',
  '    indented\n        more',
  '0x1F 0b101 1e-9',
];
const PROMPTS = ['What is the capital of France?', 'Say hello.'];
/** In natural logarithms, for the likeliest token. */
const NEAR = 0.5;

const tokensByMlx = `
import json, sys
from tokenizers import Tokenizer
t = Tokenizer.from_file(sys.argv[1] + "/tokenizer.json")
print(json.dumps([t.encode(x, add_special_tokens=False).ids for x in json.load(open(sys.argv[2]))]))
`;
const logprobsByMlx = `
import json, sys, mlx.core as mx
from mlx_lm import load
model, tokenizer = load(sys.argv[1])
def first(text):
    ids = tokenizer.apply_chat_template([{"role": "user", "content": text}], add_generation_prompt=True)
    logits = model(mx.array(ids)[None])[0, -1].astype(mx.float32)
    logs = logits - mx.logsumexp(logits)
    best = mx.argmax(logs).item()
    return dict(prompt=tokenizer.decode(ids), id=best, logprob=logs[best].item())
print(json.dumps([first(text) for text in json.load(open(sys.argv[2]))]))
`;

/** Runs Python with the model's folder and a JSON value; resolves with its output. */
async function python<T>(code: string, value: unknown): Promise<T> {
  const file = join(tempDir(), 'value.json');
  writeFileSync(file, JSON.stringify(value));
  const { stdout } = await promisify(execFile)(mlxPython(), ['-c', code, smallModel().mlx, file], {
    maxBuffer: 10_000_000,
  });
  return JSON.parse(stdout) as T;
}

let url: string;
let server: ReturnType<typeof spawn>;

beforeAll(async () => {
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  const program = join(dirname(ollamaProgram()), '..', 'lib', 'ollama', 'llama-server');
  const args = [
    '--model',
    smallModel().gguf,
    '--port',
    String(port),
    '--ctx-size',
    '1024',
    '--parallel',
    '1',
  ];
  server = spawn(program, [...args, '--threads', '2', '--no-webui'], { stdio: 'ignore' });
  while (!(await isReady())) {
    if (server.exitCode !== null) throw new Error(`llama-server ended with ${server.exitCode}`);
    await new Promise((settle) => setTimeout(settle, 100));
  }
});
afterAll(async () => {
  server.kill('SIGKILL');
  await once(server, 'exit');
});

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  return typeof address === 'object' && address ? address.port : 0;
}

const isReady = () =>
  fetch(`${url}/health`).then(
    ({ ok }) => ok,
    () => false,
  );

async function ask<T>(path: string, body: unknown): Promise<T> {
  const answer = await fetch(url + path, { method: 'POST', body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

describe('the small model on MLX and on llama.cpp', () => {
  it('produces the same tokens for every text', async () => {
    const ours = await python<number[][]>(tokensByMlx, TEXTS);
    const theirs: number[][] = [];
    for (const content of TEXTS) {
      const body = { content, add_special: false, parse_special: true };
      theirs.push((await ask<{ tokens: number[] }>('/tokenize', body)).tokens);
    }
    expect(TEXTS.length).toBeGreaterThan(40);
    expect(ours).toEqual(theirs);
  });

  it('gets the same prompt, and answers with the same first token', async () => {
    const ours = await python<{ prompt: string; id: number; logprob: number }[]>(logprobsByMlx, PROMPTS);
    const system = /^SYSTEM (.+)$/m.exec(readFileSync(SMALL_MODELFILE, 'utf8'))?.[1];
    for (const [index, { prompt, id, logprob }] of ours.entries()) {
      expect(prompt).toBe(
        `<|im_start|>system\n${system}<|im_end|>\n<|im_start|>user\n${PROMPTS[index]}<|im_end|>\n<|im_start|>assistant\n`,
      );
      const { completion_probabilities } = await ask<{
        completion_probabilities: { top_logprobs: { id: number; logprob: number }[] }[];
      }>('/completion', { prompt, n_predict: 1, temperature: 0, n_probs: 5, repeat_penalty: 1 });
      const best = completion_probabilities[0]?.top_logprobs[0];
      expect(best?.id).toBe(id);
      expect(Math.abs((best?.logprob ?? Number.POSITIVE_INFINITY) - logprob)).toBeLessThan(NEAR);
    }
    // MLX computes about ten tokens of a prompt per second on an idle machine.
  }, 600_000);
});
