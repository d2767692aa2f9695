import { describe, expect, test } from 'vitest';
import { failureKind, memoryFigures } from '../../../src/main/backends/ollama/failure-kinds';
import { statusFailure } from '../../../src/main/backends/ollama/failures';
import { NdjsonReader } from '../../../src/main/backends/ollama/protocol';
import { Runners } from '../../../src/main/backends/ollama/runners';
import { silentLogger } from '../../../src/main/ports/logger';
import { ChildRecords, sweepOrphans } from '../../../src/main/supervisor/sweep';
import words from '../../fixtures/ollama/runner-words.json' with { type: 'json' };
import old from '../../fixtures/ollama/v0.24.json' with { type: 'json' };
import current from '../../fixtures/ollama/v0.34.json' with { type: 'json' };
import { FakeClock } from '../../support/fake-clock';
import { FakeProcessTable } from '../../support/fake-processes';
import { tempDir } from '../../support/temp-dir';

interface Fixture {
  errors: {
    status: number;
    error: string;
    kind: string | null;
    neededBytes?: number;
    freeBytes?: number;
    source: string;
  }[];
  processes: { pid: number; parent: number; args: string }[];
}

test.each(words)('the last words of a model process: $name', ({ lines, kind, source }) => {
  expect(source).toMatch(/^https:\/\/\S+\/(issues|pull)\/\d+$/);
  expect(lines.map(failureKind).find((found) => found !== null) ?? null).toBe(kind);
});

describe.each([
  ['0.24', old as Fixture],
  ['0.34', current as Fixture],
])('Ollama %s', (_generation, { errors, processes }) => {
  test.each(errors)('$error', async ({ status, error, kind, neededBytes, freeBytes, source }) => {
    expect(source).not.toBe('');
    expect(status >= 500 || status === 200 ? failureKind(error) : null).toBe(kind);
    if (neededBytes) expect(memoryFigures(error).neededBytes).toBe(neededBytes);
    if (freeBytes) expect(memoryFigures(error).freeBytes).toBe(freeBytes);
    const failure =
      status === 200
        ? thrownBy(JSON.stringify({ error }))
        : await statusFailure({ status, json: async () => ({ error }) }, 'm');
    expect(failure).toMatchObject({
      code: status !== 400 ? 'backend_failed' : /context/.test(error) ? 'context_exceeded' : 'bad_request',
      message: expect.stringContaining(error.slice(0, 100)),
      details: kind ? { cause: kind } : {},
    });
  });

  test('a left-over server is swept with the processes of its models', async () => {
    const [server, ...runners] = processes;
    if (!server || runners.length === 0) throw new Error('the fixture has no processes');
    const table = new FakeProcessTable();
    for (const { pid, parent } of processes) {
      table.add(pid, `t${pid}`, server.pid);
      Object.assign(table.running.get(pid) ?? {}, { parent });
    }
    table.add(9000, 'stranger');
    const seen = await new Runners(table, new FakeClock(), () => server.pid).pulse();
    expect(seen?.map(({ pid }) => pid)).toEqual(runners.map(({ pid }) => pid));

    const file = `${tempDir()}/children.json`;
    const descendants = runners.map(({ pid }) => ({ pid, startedAt: `t${pid}` }));
    await new ChildRecords(file).put({
      kind: 'ollama',
      pid: server.pid,
      startedAt: `t${server.pid}`,
      descendants,
    });
    // A server that is killed leaves only its model processes.
    table.running.delete(server.pid);
    const ports = { table, clock: new FakeClock(), logger: silentLogger };
    expect(await sweepOrphans(new ChildRecords(file), ports)).toBe(1);
    expect([...table.running.keys()]).toEqual([9000]);
  });
});

test('the error of a model process is reported in its words, without the JSON around them', async () => {
  const message =
    'request (25908 tokens) exceeds the available context size (1024 tokens), try increasing it';
  const error = JSON.stringify({ error: { code: 400, message, type: 'exceed_context_size_error' } });
  const failure = await statusFailure({ status: 400, json: async () => ({ error }) }, 'm');
  expect(failure).toMatchObject({
    code: 'context_exceeded',
    message: expect.stringContaining(message),
  });
});

test('an answer that stops without a last frame is a failure without a known cause', () => {
  expect(thrownBy(JSON.stringify({ message: { content: 'ha' }, done: false }))).toMatchObject({
    code: 'backend_failed',
    details: { cause: 'incomplete' },
  });
});

function thrownBy(line: string): unknown {
  const reader = new NdjsonReader();
  try {
    [...reader.push(new TextEncoder().encode(`${line}\n`)), ...reader.finish()];
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
