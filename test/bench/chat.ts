import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { COUNTING, startCountingApp } from '../support/counting-app.ts';
import { type Figures, median, quantile } from './report.ts';

/** Pairs of calls; the same number as in the published gateway comparison that the goal comes from. */
const PAIRS = 175;
const WARM_UP = 10;
/** Median time that a gateway may add to the first token, ms (other gateways: 0.4 to 4.3 ms). */
const GOAL_MS = 2;

/**
 * Time to the first token through the gateway and in a direct call to the same server, alternating in one run: the cost
 * of routing, queueing and proxying for `mlx_lm.server` and for Ollama. The counting model computes next to nothing, so
 * that the differences of a real one do not hide what Tandem adds.
 */
export async function chat(): Promise<Figures> {
  const app = await startCountingApp({ readyMs: 900_000 });
  try {
    const { backends } = await app.health();
    const mlx = backends.mlx;
    const ollama = backends.ollama;
    if (!mlx?.url || !ollama?.url) throw new Error(`both servers must be up: ${JSON.stringify(backends)}`);
    const small = mlx.model ?? '';
    const messages = [{ role: 'user', content: 'hello' }];
    const upstream = { messages, stream: true, max_tokens: 16 };
    const viaMlx = () =>
      ttft(`${app.ready.gateway}/api/chat`, {
        model: `mlx/${small}`,
        messages,
        options: { num_predict: 16 },
      });
    const secret = { 'X-Tandem-Secret': await secretOf(Number(mlx.pid)) };
    const toMlx = () => ttft(`${mlx.url}/v1/chat/completions`, upstream, 'data:', secret);
    const heavy = { messages, options: { num_predict: 16 } };
    const viaOllama = () => ttft(`${app.ready.gateway}/api/chat`, { ...heavy, model: `ollama/${COUNTING}` });
    await viaOllama();
    // A call with another context or another `shift` would load the model again.
    const options = { ...heavy.options, num_ctx: await loadedContext(ollama.url) };
    const direct = { ...heavy, options, shift: false, model: COUNTING };
    const toOllama = () => ttft(`${ollama.url}/api/chat`, direct);
    return { ...(await compare('mlx', viaMlx, toMlx)), ...(await compare('ollama', viaOllama, toOllama)) };
  } finally {
    await app.stop();
    await app.remove();
  }
}

/** Tokens of context that the loaded model has. */
async function loadedContext(url: string): Promise<number> {
  const body = (await (await fetch(`${url}/api/ps`)).json()) as { models: { context_length: number }[] };
  const [loaded] = body.models;
  if (!loaded) throw new Error('no model is loaded after the first call');
  return loaded.context_length;
}

async function compare(
  name: string,
  via: () => Promise<number>,
  direct: () => Promise<number>,
): Promise<Figures> {
  const gateway: number[] = [];
  const upstream: number[] = [];
  for (let round = -WARM_UP; round < PAIRS; round++) {
    // The order alternates, so that neither benefits from a cache that the other has warmed.
    const first = round % 2 === 0 ? via : direct;
    const [a, b] = [await first(), await (first === via ? direct : via)()];
    if (round < 0) continue;
    gateway.push(first === via ? a : b);
    upstream.push(first === via ? b : a);
    await delay(1);
  }
  const added = median(gateway) - median(upstream);
  return {
    [`${name}.direct.ttft_p50`]: { value: median(upstream), unit: 'ms', goal: null },
    [`${name}.tandem.ttft_p50`]: { value: median(gateway), unit: 'ms', goal: null },
    [`${name}.added.ttft_p50`]: { value: added, unit: 'ms', goal: GOAL_MS },
    [`${name}.ratio.ttft_p50`]: { value: median(gateway) / median(upstream), unit: 'x', goal: null },
    [`${name}.tandem.ttft_p99`]: { value: quantile(gateway, 0.99), unit: 'ms', goal: null },
  };
}

/** Ms from sending the request to the first piece of generated text; the rest is read to its end. */
async function ttft(url: string, body: object, prefix = '{', headers = {}): Promise<number> {
  const begin = performance.now();
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  if (!response.ok || !response.body) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  let first: number | null = null;
  const decoder = new TextDecoder();
  for await (const chunk of response.body) {
    if (first === null && decoder.decode(chunk, { stream: true }).includes(prefix))
      first = performance.now() - begin;
  }
  if (first === null) throw new Error(`${url}: no token`);
  return first;
}

/** The secret that an MLX process requires from its callers, from its environment. */
async function secretOf(pid: number): Promise<string> {
  const { stdout } = await promisify(execFile)('ps', ['eww', '-o', 'command=', '-p', String(pid)]);
  const found = /TANDEM_MLX_SECRET=(\S+)/.exec(stdout)?.[1];
  if (!found) throw new Error(`process ${pid} has no secret`);
  return found;
}
