import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { buildEntry } from '../support/build-worker.ts';
import { type Figures, median } from './report.ts';

const MODELS = 500;
const REPEATS = 5;
const IDLE_MS = 2000;
/** One in this many models is broken, is split into several files, or has a copy elsewhere. */
const BROKEN_EVERY = 20;
const SHARDED_EVERY = 5;
const TWICE_EVERY = 25;
/** Arrays in one weights file, as in a 4-bit model of a few billion parameters. */
const ARRAYS = 700;

interface Scan {
  models: { info: { fit?: string } }[];
  broken: unknown[];
}

/**
 * 500 model folders as on a Mac (hub with links, LM Studio, own folders): how long a scan takes, including the start of
 * its process, and how long it blocks the host.
 */
export async function scan(): Promise<Figures> {
  const entries = ['models/model-scan', 'models/scan-child', 'ports/node-spawner', 'ports/clock'];
  const built = await Promise.all(entries.map((entry) => buildEntry(`src/main/${entry}.ts`)));
  const home = await mkdtemp(join(tmpdir(), 'tandem-scan-'));
  try {
    const [host, child, spawning, clocks] = built.map(({ url }) => url);
    const { ModelScan } = await import(String(host));
    const { nodeSpawner } = await import(String(spawning));
    const { systemClock } = await import(String(clocks));
    const expected = await fill(home);
    const script = fileURLToPath(String(child));
    const models = new ModelScan({
      process: { spawner: nodeSpawner, clock: systemClock, node: process.execPath, script, env: {} },
      places: () => ({ home, env: {}, loadable: true, small: null, folders: [], direct: [] }),
      logger: { warn() {} },
    });
    const runs: { ms: number; blockedMs: number; turnMs: number; wrong: number }[] = [];
    for (let run = 0; run < REPEATS; run += 1) {
      const { value, ms, blockedMs, turnMs } = await watched<Scan>(async () => {
        await models.run();
        return models.result();
      });
      const wrong =
        Math.abs(value.models.length - expected.models) + Math.abs(value.broken.length - expected.broken);
      runs.push({ ms, blockedMs, turnMs, wrong });
    }
    // The baseline: the blocking of an idle loop by other programs on this machine.
    const idle = await watched(() => delay(IDLE_MS));
    return {
      'scan.first': { value: runs[0]?.ms ?? Number.NaN, unit: 'ms', goal: 1000 },
      'scan.again_median': { value: median(runs.slice(1).map(({ ms }) => ms)), unit: 'ms', goal: 1000 },
      'scan.event_loop_delay_max': {
        value: Math.max(...runs.map(({ blockedMs }) => blockedMs)),
        unit: 'ms',
        goal: 50,
      },
      'scan.longest_turn_cpu': { value: Math.max(...runs.map(({ turnMs }) => turnMs)), unit: 'ms', goal: 50 },
      'scan.event_loop_delay_idle': { value: idle.blockedMs, unit: 'ms', goal: null },
      'scan.folders': { value: MODELS, unit: 'folders', goal: null },
      'scan.wrong': {
        value: runs.reduce((sum, { wrong }) => sum + wrong, 0),
        unit: 'models',
        goal: 0,
        correct: true,
      },
    };
  } finally {
    await Promise.all([...built.map((entry) => entry.remove()), rm(home, { recursive: true, force: true })]);
  }
}

interface Watched<T> {
  value: T;
  ms: number;
  /** The longest time that the event loop was blocked, including by other programs. */
  blockedMs: number;
  /** The most CPU time of one turn of the loop: the blocking by the work itself. */
  turnMs: number;
}

async function watched<T>(work: () => Promise<T>): Promise<Watched<T>> {
  const delays = monitorEventLoopDelay({ resolution: 1 });
  const turns = new LongestTurn();
  delays.enable();
  turns.start();
  const start = performance.now();
  const value = await work();
  const ms = performance.now() - start;
  delays.disable();
  return { value, ms, blockedMs: delays.max / 1e6, turnMs: turns.stop() };
}

/** CPU time of this thread per turn of its event loop. */
class LongestTurn {
  #last = 0;
  #longest = 0;
  #running = false;

  start(): void {
    this.#running = true;
    this.#last = threadMs();
    setImmediate(() => this.#turn());
  }

  stop(): number {
    this.#running = false;
    return this.#longest;
  }

  #turn(): void {
    const now = threadMs();
    this.#longest = Math.max(this.#longest, now - this.#last);
    this.#last = now;
    if (this.#running) setImmediate(() => this.#turn());
  }
}

function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** Creates the folders; returns how many models and how many broken ones a scan must find. */
async function fill(home: string): Promise<{ models: number; broken: number }> {
  const makers = [inHub, inLmStudio, inOwnFolder];
  const counts = { models: 0, broken: 0 };
  let twins = 0;
  for (let index = 0; index + twins < MODELS; index += 1) {
    const name = `Model-${index}-${1 + (index % 40)}B-Instruct-4bit`;
    const broken = index % BROKEN_EVERY === 7;
    const make = makers[index % makers.length] ?? inHub;
    await make(home, name, { sharded: index % SHARDED_EVERY === 0, broken, bytes: 1e6 + index });
    counts[broken ? 'broken' : 'models'] += 1;
    if (index % TWICE_EVERY !== 3 || broken || make === inOwnFolder) continue;
    await inOwnFolder(home, name, { sharded: index % SHARDED_EVERY === 0, broken, bytes: 1e6 + index });
    twins += 1;
  }
  return counts;
}

interface Kind {
  sharded: boolean;
  broken: boolean;
  bytes: number;
}

async function inHub(home: string, name: string, kind: Kind): Promise<void> {
  const repo = join(home, '.cache/huggingface/hub', `models--org--${name}`);
  const snapshot = join(repo, 'snapshots/0123456789abcdef');
  await makeModel(join(repo, 'blobs'), kind);
  await mkdir(snapshot, { recursive: true });
  for (const file of filesOf(kind)) await symlink(join('../../blobs', file), join(snapshot, file));
  await mkdir(join(repo, 'refs'));
  await writeFile(join(repo, 'refs/main'), '0123456789abcdef');
}

function inLmStudio(home: string, name: string, kind: Kind): Promise<void> {
  return makeModel(join(home, '.lmstudio/models/org', name), kind);
}

function inOwnFolder(home: string, name: string, kind: Kind): Promise<void> {
  return makeModel(join(home, 'mlx-models', name), kind);
}

const SHARDS = [1, 2, 3].map((number) => `model-0000${number}-of-00003.safetensors`);

function weightFiles({ sharded }: Kind): string[] {
  return sharded ? SHARDS : ['model.safetensors'];
}

function filesOf(kind: Kind): string[] {
  const index = kind.sharded ? ['model.safetensors.index.json'] : [];
  return ['config.json', 'tokenizer.json', 'tokenizer_config.json', ...index, ...weightFiles(kind)];
}

async function makeModel(folder: string, kind: Kind): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'config.json'), CONFIG);
  await writeFile(join(folder, 'tokenizer.json'), '{}');
  await writeFile(join(folder, 'tokenizer_config.json'), TOKENIZER_CONFIG);
  if (kind.sharded) await writeFile(join(folder, 'model.safetensors.index.json'), INDEX);
  for (const file of weightFiles(kind)) {
    const header = headerOf(kind.bytes);
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    await writeFile(join(folder, file), Buffer.concat([length, header]));
    // The arrays take no space on disk.
    await truncate(join(folder, file), 8 + header.length + kind.bytes - (kind.broken ? 1 : 0));
  }
}

const arrayName = (index: number) => `model.layers.${index}.self_attn.q_proj.weight`;
const arrays = Array.from({ length: ARRAYS }, (_, index) => index);

function headerOf(bytes: number): Buffer {
  const entries = arrays.map((index) => [
    arrayName(index),
    {
      dtype: 'U32',
      shape: [1, 1],
      data_offsets: [Math.floor((index * bytes) / ARRAYS), Math.floor(((index + 1) * bytes) / ARRAYS)],
    },
  ]);
  return Buffer.from(JSON.stringify(Object.fromEntries(entries)));
}

const CONFIG = JSON.stringify({
  model_type: 'llama',
  architectures: ['LlamaForCausalLM'],
  max_position_embeddings: 32_768,
  num_hidden_layers: 32,
  num_attention_heads: 32,
  num_key_value_heads: 8,
  hidden_size: 4096,
  quantization: { bits: 4, group_size: 64 },
});
/** As large as in current tokenizers, which list every special token. */
const TOKENIZER_CONFIG = JSON.stringify({
  added_tokens_decoder: arrays.map((index) => ({
    content: `<|reserved_special_token_${index}|>`,
    special: true,
  })),
  chat_template: '{% if tools %}{{ tools }}{% endif %}',
});
const INDEX = JSON.stringify({
  metadata: {},
  weight_map: Object.fromEntries(arrays.map((index) => [arrayName(index), SHARDS[index % SHARDS.length]])),
});
