import { beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../src/main/ports/logger';
import type { Spawner } from '../../../src/main/ports/spawner';
import { locateRuntime } from '../../../src/main/setup/locate-runtime';
import { SetupRunner } from '../../../src/main/setup/setup-runner';
import { settle } from '../../support/fake-clock';
import { FakeSpawner } from '../../support/fake-processes';

type Part = 'mlx' | 'ollama' | 'model';

/** The parts that the settings require. */
let wanted: Part[];
let spawner: FakeSpawner;
beforeEach(() => {
  wanted = ['mlx', 'ollama', 'model'];
  spawner = new FakeSpawner();
});

const runner = (from: Spawner = spawner) =>
  new SetupRunner({
    spawner: from,
    logger: silentLogger,
    node: 'node',
    script: 'runtimes.js',
    args: [],
    env: {},
    wanted: () => wanted,
  });

const READY = { stage: 'ready', detail: 'there', percent: null, elapsedMs: 5, path: '/bin/python' };

/** The parts that were started, in order. */
const started = () => spawner.specs.map(({ args }) => args?.[3]);

/** The last child of a part writes lines and exits. */
async function ends(part: Part, lines: string, code = 0) {
  const child = spawner.children[started().lastIndexOf(part)];
  if (!child) throw new Error(`${part} was not started`);
  child.stdout.end(lines);
  child.exit(code);
  await settle();
}
const ready = (part: Part, more = {}) => `${JSON.stringify({ ...READY, ...more, part })}\n`;
const stages = (setup: SetupRunner) => setup.parts().map(({ part, stage }) => `${part} ${stage}`);

describe('SetupRunner', () => {
  it('runs each part separately, the small model after MLX and not after Ollama', async () => {
    const setup = runner();
    const run = setup.run();
    expect(started()).toEqual(['mlx', 'ollama']);
    await ends('mlx', ready('mlx'));
    expect(started()).toEqual(['mlx', 'ollama', 'model']);
    await ends('model', ready('model'));
    await ends('ollama', ready('ollama'));
    await run;
    expect(stages(setup)).toEqual(['mlx ready', 'model ready', 'ollama ready']);
  });

  it('installs the small model even without MLX', async () => {
    const setup = runner();
    const run = setup.run();
    await ends('mlx', '', 1);
    await ends('ollama', ready('ollama'));
    await ends('model', ready('model'));
    await run;
    expect(stages(setup)).toEqual(['mlx failed', 'ollama ready', 'model ready']);
  });

  it('reports each part, and fails the open ones when the script exits', async () => {
    wanted = ['mlx', 'ollama'];
    const setup = runner();
    const settled: string[] = [];
    setup.onSettled(({ part, stage }) => settled.push(`${part} ${stage}`));
    const run = setup.run();
    await ends('mlx', `noise\n${ready('mlx')}{"part":1}\n`);
    await ends('ollama', '', 1);
    await run;
    expect(settled).toEqual(['mlx ready', 'ollama failed']);
    expect(setup.part('ollama')).toMatchObject({ code: 'runtime_broken', detail: 'the set-up ended with 1' });
  });

  it('reports an older version that can run, once, and runs it until the new one is there', async () => {
    wanted = ['ollama'];
    const setup = runner();
    const told: string[] = [];
    setup.onSettled(({ stage, path }) => told.push(`${stage} ${path}`));
    const locate = locateRuntime(setup, 'ollama');
    const run = setup.run();
    expect(await locate()).toMatchObject({ absent: { setup: true } });
    const say = (stage: string, path?: string) => spawner.last.stdout.write(ready('ollama', { stage, path }));
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
    await ends('ollama', '');
    await run;
  });

  it('is joined by callers while it runs, and then sets up the parts requested since', async () => {
    wanted = ['mlx'];
    const setup = runner();
    const all = [setup.run(), setup.run()];
    wanted = ['mlx', 'ollama'];
    all.push(setup.runMissing());
    expect(started()).toEqual(['mlx', 'ollama']);
    await ends('mlx', ready('mlx'));
    await ends('ollama', ready('ollama'));
    await Promise.all(all);
    await setup.runMissing();
    expect(started()).toEqual(['mlx', 'ollama']);
  });

  it('checks once more when it was requested during a check that found nothing', async () => {
    wanted = ['mlx'];
    const setup = runner();
    const all = [setup.run(), setup.run()];
    await ends('mlx', ready('mlx', { stage: 'absent', path: undefined }));
    expect(started()).toEqual(['mlx', 'mlx']);
    await ends('mlx', ready('mlx'));
    await Promise.all(all);
    expect(started()).toEqual(['mlx', 'mlx']);
    expect(setup.part('mlx')?.stage).toBe('ready');
  });

  it('sets the small model up once more when MLX arrives, which converts it', async () => {
    const setup = runner();
    const run = setup.run();
    await ends('mlx', '', 1);
    await ends('ollama', ready('ollama'));
    const again = setup.run(['mlx']);
    await ends('mlx', ready('mlx'));
    await ends('model', ready('model'));
    await Promise.all([run, again]);
    expect(started()).toEqual(['mlx', 'ollama', 'model', 'mlx', 'model']);
    await ends('model', ready('model'));
    expect(started()).toHaveLength(5);
  });

  it('checks settled parts again on request', async () => {
    wanted = ['mlx'];
    const setup = runner();
    const first = setup.run();
    await ends('mlx', ready('mlx'));
    await first;
    const second = setup.run();
    expect(setup.isSettled('mlx')).toBe(false);
    await ends('mlx', ready('mlx', { detail: 'made again' }));
    await second;
    expect(setup.part('mlx')?.detail).toBe('made again');
  });

  it('cancels one part alone, which can be resumed', async () => {
    const setup = runner();
    const run = setup.run();
    await ends('mlx', ready('mlx'));
    const cancelled = setup.cancel('model');
    await ends('model', '');
    await cancelled;
    expect(setup.part('model')).toMatchObject({ stage: 'absent', code: 'setup_cancelled' });
    expect(spawner.children.map(({ signals }) => signals)).toEqual([[], [], ['SIGTERM']]);
    const again = setup.run(['model']);
    await settle();
    await ends('model', ready('model'));
    await ends('ollama', ready('ollama'));
    await Promise.all([run, again]);
    expect(setup.part('model')?.stage).toBe('ready');
  });

  it('never starts the small model when that was cancelled before its turn', async () => {
    const setup = runner();
    const run = setup.run();
    const cancelled = setup.cancel('model');
    await ends('mlx', ready('mlx'));
    await ends('ollama', ready('ollama'));
    await Promise.all([run, cancelled]);
    expect(started()).toEqual(['mlx', 'ollama']);
    expect(setup.part('model')?.code).toBe('setup_cancelled');
  });

  it('starts nothing once it is stopping', async () => {
    const setup = runner();
    const run = setup.run();
    const stopped = setup.stop();
    for (const child of spawner.children) child.stdout.end();
    await Promise.all([run, stopped, setup.run()]);
    expect(started()).toEqual(['mlx', 'ollama']);
  });

  it('fails every part when the script cannot even be started', async () => {
    wanted = ['mlx', 'ollama'];
    const setup = runner({
      spawn: () => {
        throw new Error('too many processes');
      },
    });
    await setup.run();
    expect(stages(setup)).toEqual(['mlx failed', 'ollama failed']);
  });
});
