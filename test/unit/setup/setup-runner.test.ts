import { beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../src/main/ports/logger';
import type { Spawner } from '../../../src/main/ports/spawner';
import { locateRuntime } from '../../../src/main/setup/locate-runtime';
import { SetupRunner } from '../../../src/main/setup/setup-runner';
import { settle } from '../../support/fake-clock';
import { FakeSpawner } from '../../support/fake-processes';

/** The parts that the settings ask for. */
let wanted: ('mlx' | 'ollama')[];
beforeEach(() => {
  wanted = ['mlx', 'ollama'];
});

const runner = (spawner: Spawner) =>
  new SetupRunner({
    spawner,
    logger: silentLogger,
    node: 'node',
    script: 'runtimes.js',
    args: [],
    env: {},
    wanted: () => wanted,
  });

/** A set-up of one part is under way, and the other part is wanted by now. */
function wantedLater() {
  wanted = ['mlx'];
  const spawner = new FakeSpawner();
  const setup = runner(spawner);
  const run = setup.run();
  wanted = ['mlx', 'ollama'];
  return { spawner, setup, run, later: setup.runMissing() };
}

const READY = {
  part: 'mlx',
  stage: 'ready',
  detail: 'there',
  percent: null,
  elapsedMs: 5,
  path: '/bin/python',
};

describe('SetupRunner', () => {
  it('tells each part, and fails what was left open when the script ends', async () => {
    const spawner = new FakeSpawner();
    const setup = runner(spawner);
    const settled: string[] = [];
    setup.onSettled(({ part, stage }) => settled.push(`${part} ${stage}`));
    const run = setup.run();
    expect(setup.run()).toBe(run);
    spawner.last.stdout.end(`noise\n${JSON.stringify(READY)}\n{"part":1}\n`);
    spawner.last.exit(1);
    await run;
    expect(settled).toEqual(['mlx ready', 'ollama failed']);
    expect(setup.part('ollama')).toMatchObject({ code: 'runtime_broken', detail: 'the set-up ended with 1' });
  });

  it('tells of an older version that can be run once, and it is run until the new one is there', async () => {
    const spawner = new FakeSpawner();
    const setup = runner(spawner);
    const told: string[] = [];
    setup.onSettled(({ stage, path }) => told.push(`${stage} ${path}`));
    const locate = locateRuntime(setup, 'ollama');
    const run = setup.run();
    expect(await locate()).toMatchObject({ absent: { setup: true } });
    const say = (stage: string, path?: string) =>
      spawner.last.stdout.write(`${JSON.stringify({ ...READY, part: 'ollama', stage, path })}\n`);
    say('check');
    say('download', '/old/ollama');
    say('build', '/old/ollama');
    await settle();
    expect(told).toEqual(['download /old/ollama']);
    expect(await locate()).toEqual({ path: '/old/ollama' });
    say('ready', '/new/ollama');
    await settle();
    expect(await locate()).toEqual({ path: '/new/ollama' });
    expect(told).toEqual(['download /old/ollama', 'ready /new/ollama']);
    spawner.last.stdout.end();
    spawner.last.exit(0);
    await run;
  });

  it('sets up the one part that is wanted, and says nothing of the other when that fails', async () => {
    wanted = ['mlx'];
    const spawner = new FakeSpawner();
    const setup = runner(spawner);
    const run = setup.run();
    expect(spawner.specs[0]?.args).toEqual(['runtimes.js', '--json', '--only', 'mlx']);
    spawner.last.stdout.end();
    spawner.last.exit(1);
    await run;
    expect(setup.parts().map(({ part, stage }) => `${part} ${stage}`)).toEqual(['mlx failed']);
  });

  it('sets up a part that is wanted later, after the run that is under way, and only that one', async () => {
    const { spawner, setup, run, later } = wantedLater();
    spawner.last.stdout.end(`${JSON.stringify(READY)}\n`);
    spawner.last.exit(0);
    await run;
    expect(spawner.children).toHaveLength(2);
    expect(spawner.specs[1]?.args).toEqual(['runtimes.js', '--json', '--only', 'ollama']);
    spawner.last.stdout.end(`${JSON.stringify({ ...READY, part: 'ollama' })}\n`);
    spawner.last.exit(0);
    await later;
    expect(setup.parts().map(({ part, stage }) => `${part} ${stage}`)).toEqual(['mlx ready', 'ollama ready']);
    await setup.runMissing();
    expect(spawner.children).toHaveLength(2);
  });

  it('sets up what it is asked for during a set-up of another part, once for all who ask', async () => {
    const spawner = new FakeSpawner();
    const setup = runner(spawner);
    const first = setup.run();
    spawner.last.stdout.end(`${JSON.stringify(READY)}\n${JSON.stringify({ ...READY, part: 'ollama' })}\n`);
    spawner.last.exit(0);
    await first;
    wanted = ['ollama'];
    const running = setup.run();
    wanted = ['mlx', 'ollama'];
    const asked = [setup.run(), setup.run()];
    spawner.last.stdout.end();
    spawner.last.exit(0);
    await running;
    await settle();
    expect(spawner.specs.map(({ args }) => args?.slice(2))).toEqual([
      [],
      ['--only', 'ollama'],
      ['--only', 'mlx'],
    ]);
    spawner.last.stdout.end(`${JSON.stringify({ ...READY, detail: 'made again' })}\n`);
    spawner.last.exit(0);
    await Promise.all(asked);
    expect(setup.part('mlx')?.detail).toBe('made again');
    expect(spawner.children).toHaveLength(3);
  });

  it('starts nothing any more once it is being stopped', async () => {
    const { spawner, setup, run, later } = wantedLater();
    const stopped = setup.stop();
    spawner.last.stdout.end();
    await Promise.all([run, later, stopped]);
    expect(spawner.children).toHaveLength(1);
  });

  it('fails every part when the script cannot even be started', async () => {
    const setup = runner({
      spawn: () => {
        throw new Error('too many processes');
      },
    });
    await setup.run();
    expect(setup.parts().map(({ part, stage }) => `${part} ${stage}`)).toEqual([
      'mlx failed',
      'ollama failed',
    ]);
  });
});
