import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { openLog, toHumanLine } from '../../../src/main/ports/pino-logger';
import { RotatingFile } from '../../../src/main/ports/rotating-file';
import { filesContaining, tempDir } from '../../support/temp-dir';

async function open(dataDir: string, options: { json?: boolean; maxBytes?: number } = {}) {
  const stderr = new PassThrough();
  const log = await openLog({
    dataDir,
    json: options.json ?? false,
    stderr,
    maxBytes: options.maxBytes ?? 1e6,
  });
  const shown = () => String(stderr.read() ?? '');
  const file = () => readFileSync(`${dataDir}/logs/tandem.log`, 'utf8');
  return { ...log, stderr, shown, file };
}

describe('openLog', () => {
  it('writes JSON lines to a private file and readable lines to the console', async () => {
    const dir = tempDir();
    const { logger, close, shown, file } = await open(dir);
    logger.child('supervisor').warn('backend_exited', { backend: 'mlx', code: 134, reason: 'out of memory' });
    await close();
    expect(JSON.parse(file())).toEqual({
      level: 'warn',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      room: 'supervisor',
      backend: 'mlx',
      code: 134,
      reason: 'out of memory',
      event: 'backend_exited',
    });
    expect(shown()).toMatch(
      /^\d\d:\d\d:\d\d warn {2}supervisor: backend_exited backend=mlx code=134 reason="out of memory"\n$/,
    );
    expect(statSync(`${dir}/logs`).mode & 0o777).toBe(0o700);
    expect(statSync(`${dir}/logs/tandem.log`).mode & 0o777).toBe(0o600);
  });

  it('shows JSON lines with --json, and nothing below its level', async () => {
    const { logger, close, shown } = await open(tempDir(), { json: true });
    logger.debug('noise');
    logger.info('ready', { ms: 12 });
    await close();
    expect(JSON.parse(shown())).toMatchObject({ level: 'info', event: 'ready', ms: 12 });
  });

  it('keeps three files within their size, the newest lines in the first', async () => {
    const dir = tempDir();
    const { logger, close, file } = await open(dir, { maxBytes: 2000 });
    for (let number = 0; number < 200; number += 1) {
      logger.info('tick', { number });
      // One write each: the size is checked between writes, and waiting lines are written together.
      await close();
    }
    expect(readdirSync(`${dir}/logs`).sort()).toEqual(['tandem.log', 'tandem.log.1', 'tandem.log.2']);
    for (const name of readdirSync(`${dir}/logs`)) {
      expect(statSync(`${dir}/logs/${name}`).size).toBeLessThanOrEqual(2000);
      expect(statSync(`${dir}/logs/${name}`).mode & 0o777).toBe(0o600);
    }
    expect(JSON.parse(file().trim().split('\n').at(-1) ?? '')).toMatchObject({ number: 199 });
  });

  it('continues without the file when the folder cannot be created, and reports it once', async () => {
    const dir = tempDir();
    writeFileSync(`${dir}/logs`, 'in the way');
    const { logger, close, shown } = await open(dir);
    logger.info('started');
    logger.info('working');
    await close();
    const lines = shown().trim().split('\n');
    expect(lines).toHaveLength(3);
    expect(lines[0]).toContain('log_file_failed');
    expect(lines.slice(1).map((line) => line.split(' ').at(-1))).toEqual(['started', 'working']);
  });

  it('writes no secret and no message text, whatever it is given', async () => {
    const dir = tempDir();
    const { logger, close, shown } = await open(dir);
    let parseError: unknown;
    try {
      JSON.parse('canary-text and more');
    } catch (error) {
      parseError = error;
    }
    logger.child('gateway').error('request_failed', {
      url: 'http://127.0.0.1:1/?token=canary-secret&view=chat',
      headers: {
        Authorization: 'Bearer canary-secret',
        'x-api-key': 'canary-secret',
        cookie: 'canary-secret',
      },
      webToken: 'canary-secret',
      upstream: 'http://me:canary-secret@host/',
      key: 'sk-canarysecretcanarysecret',
      prompt: 'canary-text',
      body: { messages: [{ role: 'user', content: 'canary-text' }] },
      error: new Error('upstream said Bearer canary-secret', { cause: parseError }),
      promptTokens: 12,
    });
    await close();
    const line = shown();
    expect(line).toContain('promptTokens=12');
    expect(line).toContain('view=chat');
    expect(line).not.toMatch(/canary/);
    expect(filesContaining(dir, 'canary')).toEqual([]);
  });

  it('survives a console that disappears', async () => {
    const { logger, close, stderr, file } = await open(tempDir());
    stderr.destroy(new Error('EPIPE'));
    logger.info('still_here');
    await close();
    expect(file()).toContain('still_here');
  });

  it('writes pending lines when the process exits', async () => {
    const { logger, flushSync, close, file } = await open(tempDir());
    logger.info('last_words');
    flushSync();
    expect(file()).toContain('last_words');
    await close();
    expect(file().trim().split('\n')).toHaveLength(1);
  });
});

describe('RotatingFile', () => {
  it('never throws when writing fails, reports only the first failure, and writes again when it can', async () => {
    const dir = `${tempDir()}/logs`;
    mkdirSync(dir);
    const failures: unknown[] = [];
    const path = `${dir}/tandem.log`;
    const file = new RotatingFile({
      path,
      maxBytes: 1e6,
      files: 3,
      onFailure: (error) => failures.push(error),
    });
    rmSync(dir, { recursive: true });
    file.write('lost\n');
    await file.flush();
    file.write('lost too\n');
    file.flushSync();
    await file.flush();
    expect(failures).toEqual([expect.objectContaining({ code: 'ENOENT' })]);
    mkdirSync(dir);
    file.write('back\n');
    await file.flush();
    expect(readFileSync(path, 'utf8')).toBe('back\n');
  });
});

describe('toHumanLine', () => {
  it('leaves out missing fields', () => {
    expect(toHumanLine('{"level":"info","time":"2026-02-03T04:05:06.789Z","event":"started"}')).toBe(
      '04:05:06 info  started\n',
    );
  });
});
