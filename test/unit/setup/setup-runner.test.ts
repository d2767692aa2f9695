import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../../src/main/ports/logger';
import type { Spawner } from '../../../src/main/ports/spawner';
import { SetupRunner } from '../../../src/main/setup/setup-runner';
import { FakeSpawner } from '../../support/fake-processes';

const runner = (spawner: Spawner) =>
  new SetupRunner({ spawner, logger: silentLogger, node: 'node', script: 'runtimes.js', args: [], env: {} });

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
