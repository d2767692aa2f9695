/**
 * Both servers in one scripted program, for the effect of many requests on the host. Started with `serve` it is Ollama,
 * else `mlx_lm.server` behind its launcher. A word in the prompt chooses the outcome: `soak:slow` waits before its
 * first token, `soak:fail` is rejected, `soak:break` ends in the middle, `soak:hold` writes its words and never ends,
 * `soak:tools` calls a tool; all others get a few words.
 */
import { createServer } from 'node:http';

const [, , first, ...rest] = process.argv;
const MODEL = 'steady';
const SLOW_MS = 200;
const WORDS = ['one ', 'two ', 'three'];

if (first === 'serve') serveOllama();
else serveMlx(rest[rest.indexOf('--model') + 1] ?? '');

function listen(server, port, onPort) {
  server.listen(port, '127.0.0.1', () => onPort(server.address().port));
}

async function textOf(request) {
  let text = '';
  for await (const part of request.setEncoding('utf8')) text += part;
  return text;
}

const wayOf = (text) => /soak:(\w+)/.exec(text)?.[1] ?? 'plain';

/** Resolves early when the client disconnects. */
function pause(response) {
  return new Promise((done) => {
    const timer = setTimeout(done, SLOW_MS);
    response.once('close', () => {
      clearTimeout(timer);
      done();
    });
  });
}

/** Answers in the dialect of either server. */
async function answer(text, response, { type, refusal, word, calls, end }) {
  const way = wayOf(text);
  if (way === 'fail') {
    response.writeHead(500, { 'content-type': 'application/json' });
    response.end(JSON.stringify(refusal));
    return;
  }
  if (way === 'slow') await pause(response);
  if (response.destroyed) return;
  response.writeHead(200, { 'content-type': type });
  if (way === 'tools' && calls) response.write(calls);
  else for (const each of WORDS) response.write(word(each));
  if (way === 'break') setImmediate(() => response.destroy());
  else if (way !== 'hold') response.end(end);
}

function serveOllama() {
  const line = (part) => `${JSON.stringify({ model: MODEL, ...part })}\n`;
  const message = (part) => ({ message: { role: 'assistant', content: '', ...part }, done: false });
  const tool = { function: { name: 'weather', arguments: { city: 'Paris' } } };
  const last = { done: true, done_reason: 'stop', prompt_eval_count: 5, eval_count: 3, load_duration: 1e6 };
  const words = {
    type: 'application/x-ndjson',
    refusal: { error: 'the script says no' },
    word: (content) => line(message({ content })),
    calls: line(message({ tool_calls: [tool] })),
    end: line({ ...message({}), ...last }),
  };
  const details = { parameter_size: '32B', quantization_level: 'Q4_K_M' };
  const item = {
    name: `${MODEL}:latest`,
    model: `${MODEL}:latest`,
    digest: '1'.repeat(64),
    size: 1e9,
    details,
  };
  const facts = {
    '/api/version': { version: '0.34.0' },
    '/api/tags': { models: [{ ...item, modified_at: '2026-01-01T00:00:00Z' }] },
    '/api/show': { capabilities: ['completion', 'tools'], model_info: { 'fake.context_length': 32_768 } },
    '/api/ps': { models: [{ ...item, size_vram: 1e9, expires_at: '2030-01-01T00:00:00Z' }] },
  };
  const server = createServer(async (request, response) => {
    response.on('close', () =>
      console.error(
        `[GIN] ${new Date().toISOString()} | 200 | 12.34567ms | 127.0.0.1 | POST "${request.url}"`,
      ),
    );
    const text = await textOf(request).catch(() => '');
    if (request.url === '/api/chat' || request.url === '/api/generate') return answer(text, response, words);
    const fact = facts[request.url];
    response.writeHead(fact ? 200 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify(fact ?? { error: 'not found' }));
  });
  const port = Number(/:(\d+)$/.exec(process.env.OLLAMA_HOST ?? '')?.[1] ?? 0);
  listen(server, port, (bound) => console.error(`msg="Listening on 127.0.0.1:${bound} (version 0.34.0)"`));
  process.on('SIGTERM', () => process.exit(0));
}

function serveMlx(model) {
  const tell = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);
  const sse = (part) => `data: ${JSON.stringify(part)}\n\n`;
  const usage = { prompt_tokens: 5, completion_tokens: 3 };
  const words = {
    type: 'text/event-stream',
    refusal: { error: 'the script says no' },
    word: (content) => sse({ choices: [{ delta: { content }, text: content, finish_reason: null }] }),
    end: `${sse({ choices: [{ delta: {}, finish_reason: 'stop' }] })}${sse({ choices: [], usage })}data: [DONE]\n\n`,
  };
  let active = 0;
  const server = createServer(async (request, response) => {
    if (request.url === '/health') return response.end('{"status":"ok"}');
    const id = String(request.headers['x-tandem-request-id']);
    const sequence = (state) => tell({ event: 'sequence', id, state, active, queue: 0 });
    active += 1;
    sequence('queued');
    sequence('started');
    response.on('close', () => {
      active -= 1;
      sequence('ended');
    });
    await answer(await textOf(request).catch(() => ''), response, words);
  });
  const figures = { active: 1e8, cache: 0, peak: 1e8, rss: 1e8, footprint: 1e8, stuck: 0, cached_bytes: 0 };
  const idle = { doing: 'waiting', step_ms: 1, step_tokens: 1, loading: 0, queue: 0 };
  let steps = 0;
  listen(server, 0, (port) => {
    tell({ event: 'listening', port, pid: process.pid, version: '0.32.2', working_set: null, buffer: null });
    if (model !== '') {
      tell({ event: 'loading', model });
      tell({ event: 'loaded', model, seconds: 0.1, active: 1e8 });
    }
    setInterval(() => tell({ event: 'mem', ...figures, ...idle, steps: steps++, sequences: active }), 500);
  });
  process.stdin.on('end', () => process.exit(73)).resume();
  process.on('SIGTERM', () => process.exit(0));
}
