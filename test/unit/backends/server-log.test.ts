import { closeSync, openSync, writeSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ServerLog } from '../../../src/main/backends/ollama/server-log';

const MAX = 5_000_000;
const WORDS = 'Error: listen tcp 127.0.0.1:11434: bind: address already in use\n';

let folder: string;
let log: ServerLog;
/** The server's own file descriptor, opened as the spawner opens it. */
let server: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tandem-log-'));
  log = new ServerLog(join(folder, 'ollama.log'));
  await log.begin(new Date(0));
  server = openSync(log.file, 'a');
});
afterEach(async () => {
  closeSync(server);
  await rm(folder, { recursive: true, force: true });
});

const bytes = async (file: string) => (await stat(file)).size;

test('stays bounded while the server writes to it, and keeps the newest lines', async () => {
  const line = `${'x'.repeat(999)}\n`;
  for (let round = 0; round < 4; round += 1) {
    for (let count = 0; count < 6000; count += 1) writeSync(server, line);
    writeSync(server, `round ${round}\n`);
    await log.trim();
    expect(await bytes(log.file)).toBe(0);
    expect(await bytes(`${log.file}.1`)).toBe(MAX);
    expect((await readFile(`${log.file}.1`, 'utf8')).endsWith(`round ${round}\n`)).toBe(true);
    writeSync(server, 'on it goes\n');
    expect(await readFile(log.file, 'utf8')).toBe('on it goes\n');
  }
});

test('a small log is unchanged', async () => {
  writeSync(server, 'a line\n');
  await log.trim();
  expect(await readFile(log.file, 'utf8')).toContain('a line\n');
});

test('the cause of an exit is found although the log was rotated a moment before', async () => {
  writeSync(server, 'x'.repeat(MAX));
  writeSync(server, `\n${WORDS}`);
  const told = log.evidence();
  expect(told).not.toEqual([]);
  await log.trim();
  writeSync(server, 'another line\n');
  expect(log.evidence()).toEqual(told);
  await log.begin(new Date(1));
  expect(log.evidence()).toEqual([]);
});
