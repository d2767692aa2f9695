import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureTrainingEnvironment } from '../../resources/setup/training-env.js';

const root = resolve(import.meta.dirname, '../..');
const model = join(root, 'resources/models/starter');
const promptsFile = join(root, 'test/fixtures/starter-prompts.json');
const evaluationDir = resolve(root, process.env.TANDEM_EVAL_DIR ?? '../shared/data/eval');
const megabyte = 1_000_000;

interface TrainingReport {
  corpusSha256: string;
  weightsSha256: string;
  checkpoint: { step: number; weightsSha256: string };
}

interface Prompt {
  lang: 'en' | 'ru';
  kind: string;
  text: string;
}

const readReport = (folder: string): TrainingReport =>
  JSON.parse(readFileSync(join(folder, 'training.json'), 'utf8'));
const prompts: Prompt[] = JSON.parse(readFileSync(promptsFile, 'utf8'));
const sha256 = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');

/** Lower case, ё as е, every run of other than letters and digits as one space: the rule of `generator.py`. */
const normalise = (text: string) =>
  text
    .toLowerCase()
    .replaceAll('ё', 'е')
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();

/** Every text of the evaluation data, whatever field it stands in. */
function evaluationTexts(): Set<string> {
  const texts = new Set<string>();
  const collect = (value: unknown): void => {
    if (typeof value === 'string') texts.add(normalise(value));
    else if (value !== null && typeof value === 'object') Object.values(value).forEach(collect);
  };
  for (const file of readdirSync(evaluationDir).filter((name) => name.endsWith('.jsonl'))) {
    const lines = readFileSync(join(evaluationDir, file), 'utf8').split('\n').filter(Boolean);
    for (const line of lines) collect(JSON.parse(line));
  }
  return texts;
}

describe('starter model, as shipped', () => {
  it('is at most 5 MB, readable by all, and the file that training.json speaks of', () => {
    const files = readdirSync(model, { withFileTypes: true }).filter((entry) => entry.isFile());
    const stats = files.map((entry) => statSync(join(model, entry.name)));
    expect(stats.reduce((sum, stat) => sum + stat.size, 0)).toBeLessThanOrEqual(5 * megabyte);
    expect(stats.every((stat) => (stat.mode & 0o444) === 0o444)).toBe(true);
    expect(sha256(join(model, 'model.safetensors'))).toBe(readReport(model).weightsSha256);
  });
});

describe('starter model, trained again', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'tandem-starter-'));
  let python = '';

  beforeAll(async () => {
    python = await ensureTrainingEnvironment((line) => console.log(line));
  }, 600_000);
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  /** Runs a script of the training folder and gives its standard output. */
  async function script(name: string, ...args: string[]): Promise<string> {
    const env = {
      ...process.env,
      JAX_PLATFORMS: 'cpu',
      PYTHONDONTWRITEBYTECODE: '1',
      PYTHONIOENCODING: 'utf-8',
    };
    const options = { env, maxBuffer: 64 * megabyte };
    const { stdout } = await promisify(execFile)(python, [join(model, 'train', name), ...args], options);
    return stdout.trimEnd();
  }

  async function train(folder: string, ...options: string[]): Promise<TrainingReport> {
    await script('train.py', '--out', folder, ...options);
    return readReport(folder);
  }

  /**
   * The full run from the present scripts, which takes minutes: made once on a machine and kept beside its Python, under
   * a name that changes with every file that training reads.
   */
  async function fullRun(): Promise<{ folder: string; report: TrainingReport }> {
    const sources = readdirSync(join(model, 'train')).filter((name) => /\.(py|json|txt)$/.test(name));
    const hash = createHash('sha256');
    for (const name of sources.sort()) hash.update(name).update(readFileSync(join(model, 'train', name)));
    const folder = join(dirname(dirname(python)), `retrained-${hash.digest('hex').slice(0, 16)}`);
    if (!existsSync(folder)) {
      const fresh = join(dirname(folder), `retraining-${process.pid}`);
      await train(fresh);
      renameSync(fresh, folder);
    }
    return { folder, report: readReport(folder) };
  }

  async function answers(folder: string): Promise<string[]> {
    return JSON.parse(await script('evaluate.py', folder, '--prompts', promptsFile));
  }

  it('the generator makes the corpus that training.json names', async () => {
    expect(await script('generator.py', '--hash')).toBe(readReport(model).corpusSha256);
  });

  it('no message of three words or more stands in the evaluation data', async (context) => {
    context.skip(!existsSync(evaluationDir), `no evaluation data in ${evaluationDir}`);
    const phrases = (await script('generator.py', '--phrases')).split('\n');
    const own = new Set([...phrases, ...prompts.map((prompt) => prompt.text)].map(normalise));
    // Shorter ones ("hello", "thank you") are words that anyone greets with; they cannot be told from a copy.
    const longer = [...own].filter((text) => text.split(' ').length >= 3);
    const known = evaluationTexts();
    expect(longer.length).toBeGreaterThan(10_000);
    expect(known.size).toBeGreaterThan(1000);
    expect(longer.filter((text) => known.has(text))).toEqual([]);
  });

  it('answers held-out messages: at least 70 % rightly in each language, always with a reply of its own', async () => {
    const report = JSON.parse(await script('evaluate.py', model, '--held-out'));
    for (const lang of ['en', 'ru']) {
      expect(report.of[lang]).toBeGreaterThanOrEqual(40);
      expect(report.right[lang] / report.of[lang]).toBeGreaterThanOrEqual(0.7);
    }
    expect(report.fixedReplies).toBe(report.of.en + report.of.ru);
  });

  // One full run serves twice: its state after 20 steps is compared with that of a short run, its end with what is
  // shipped. Another CPU rounds otherwise and so ends at other weights; there the answers must be the same instead.
  it('gives the same weights from the same seeds, and the shipped ones or their answers', async () => {
    const shipped = readReport(model);
    const shortRun = await train(join(scratch, 'short'), '--stop', String(shipped.checkpoint.step));
    const { folder, report } = await fullRun();
    expect(shortRun.weightsSha256).toBe(report.checkpoint.weightsSha256);
    expect(sha256(join(folder, 'tokenizer.json'))).toBe(sha256(join(model, 'tokenizer.json')));
    if (report.weightsSha256 === shipped.weightsSha256) return;
    const [again, before] = [await answers(folder), await answers(model)];
    const same = again.filter((answer, index) => answer === before[index]).length;
    expect(same / prompts.length).toBeGreaterThanOrEqual(0.99);
  }, 900_000);
});
