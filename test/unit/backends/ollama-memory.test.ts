import { expect, test } from 'vitest';
import { Residents } from '../../../src/main/backends/ollama/residents';
import { Runners } from '../../../src/main/backends/ollama/runners';
import { ServerMemory } from '../../../src/main/backends/ollama/server-memory';
import { FakeClock } from '../../support/fake-clock';
import { FakeProcessTable } from '../../support/fake-processes';
import { ScriptedOllama } from '../../support/scripted-ollama';

const GIB = 1024 ** 3;
const SERVER = 10;
const RUNNER = 11;
const never = new AbortController().signal;

/** An Ollama of ours with one process for its model, whose file has 18 GiB. */
async function running(commandLine: string, heldBytes: number) {
  const clock = new FakeClock();
  const server = new ScriptedOllama();
  // The server's own figure grows with the snapshots.
  server.loaded = [{ name: 'qwen3.8:27b-mlx', size: heldBytes }];
  const table = new FakeProcessTable().add(SERVER, 'a').add(RUNNER, 'b');
  Object.assign(table.running.get(RUNNER) ?? {}, { parent: SERVER, commandLine });
  const runners = new Runners(table, clock, () => SERVER);
  const memory = new ServerMemory({
    clock,
    residents: new Residents(clock, () => 18 * GIB),
    residentBytes: async () => heldBytes,
    usesMlxEngine: () => runners.useMlxEngine(),
  });
  await memory.refresh(server.api, true, never);
  return { server, memory };
}

test.each([
  ['just loaded: all of its snapshots', 18 * GIB, 8 * GIB],
  ['grown to 24 GiB', 24 * GIB, 2 * GIB],
  ['full', 28 * GIB, 0],
])('where Ollama computes with its own MLX engine, its growth is reserved: %s', async (_name, held, left) => {
  const { memory, server } = await running('/opt/ollama runner --mlx-engine --model qwen --port 5', held);
  expect(memory.figures().mayGrow).toMatchObject({ bytes: left, source: 'estimate' });
  server.loaded = [];
  await memory.refresh(server.api, true, never);
  expect(memory.figures()).not.toHaveProperty('mayGrow');
});

test('nothing is reserved for llama.cpp, and nothing after a change of the server', async () => {
  const llama = await running('lib/ollama/llama-server --model /x/--mlx-engine.gguf --port 5', 18 * GIB);
  expect(llama.memory.figures()).not.toHaveProperty('mayGrow');
  const { memory } = await running('ollama runner --mlx-engine', 18 * GIB);
  memory.changed();
  expect(memory.figures()).not.toHaveProperty('mayGrow');
});
