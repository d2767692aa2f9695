import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createProcessTable } from '../../../src/main/ports/node-process-table';
import { nodeSpawner } from '../../../src/main/ports/node-spawner';
import { tempDir } from '../../support/temp-dir';

function node(script: string, logFile?: string) {
  return nodeSpawner.spawn({
    command: process.execPath,
    args: ['-e', script],
    env: { GREETING: 'hello' },
    ...(logFile === undefined ? {} : { logFile }),
  });
}

test('gives a process only its own environment, and reports its exit', async () => {
  const child = node('console.log(process.env.GREETING, process.env.HOME); process.exitCode = 7');
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    output += text;
  });
  expect(await child.exited).toMatchObject({ code: 7, signal: null });
  expect(output.trim()).toBe('hello undefined');
});

test('a log file is private and appended to', async () => {
  const log = join(tempDir(), 'server.log');
  for (const word of ['one', 'two']) {
    const child = node(`console.log('${word}'); console.error('${word}!')`, log);
    expect([child.stdout, child.stderr]).toEqual([null, null]);
    await child.exited;
  }
  expect((await readFile(log, 'utf8')).trim().split('\n')).toEqual(['one', 'one!', 'two', 'two!']);
  expect((await stat(log)).mode & 0o777).toBe(0o600);
});

test('a signal reaches the whole group', async () => {
  const table = createProcessTable();
  const child = node(
    "const c=require('child_process').spawn(process.execPath,['-e','setInterval(()=>{},1e6)']);console.log(c.pid);setInterval(()=>{},1e6)",
  );
  const grandchild = await new Promise<number>((resolve) => {
    child.stdout?.once('data', (text) => resolve(Number(String(text))));
  });
  child.kill('SIGKILL');
  expect(await child.exited).toMatchObject({ code: null, signal: 'SIGKILL' });
  await expect.poll(() => table.identify(grandchild)).toBeNull();
  child.kill('SIGKILL');
});

test('a missing program is an exit with an error, not an exception', async () => {
  const child = nodeSpawner.spawn({ command: '/nowhere/server', args: [], env: {} });
  const exit = await child.exited;
  expect(exit.error).toMatchObject({ code: 'ENOENT' });
  child.kill('SIGTERM');
});
