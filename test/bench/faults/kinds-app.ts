import { execFileSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { connect } from '../../support/contract-client.ts';
import { type Kind, unless } from './kinds.ts';
import { EFFECT_MS, holds, killBusy } from './waits.ts';

const HOUR_MS = 3_600_000;
const BURST = 500;
/** The clock jumps forward and back in turn. */
let forward = false;

export const APP_KINDS: readonly Kind[] = [
  {
    name: 'app killed and started',
    mode: 'managed',
    // All clients lose their connection; what the chat has stored is checked at the end.
    due: ['cut', 'stopped', 'cancelled', 'failed'],
    async apply(world) {
      await world.busy('mlx');
      const { pid } = world.app.process;
      await world.killApp();
      return unless(pid !== world.app.process.pid, 'it lived on');
    },
  },
  {
    name: 'memory pressure 96 %',
    mode: 'managed',
    async apply(world) {
      await world.busy('mlx');
      await world.machine({ clockMs: 0, memory: 0.96 });
      const seen = await holds(async () => (await world.health()).memory.used_percent >= 95, EFFECT_MS);
      const sent = await world.load.ask({ category: 'fast', stream: true });
      return unless(seen && sent.backend === 'ollama', 'MLX was given work all the same');
    },
    async mend(world) {
      await world.machine({ clockMs: 0, memory: null });
      await holds(async () => (await world.health()).memory.used_percent < 95, EFFECT_MS);
    },
  },
  {
    name: 'clock jump',
    mode: 'managed',
    async apply(world) {
      await world.busy('mlx');
      forward = !forward;
      await world.machine({ clockMs: forward ? HOUR_MS : -HOUR_MS, memory: null });
      // While the clock is off: a death and its restart.
      return killBusy(world, 'mlx');
    },
    async mend(world) {
      await world.machine({ clockMs: 0, memory: null });
    },
  },
  {
    name: 'disk full',
    mode: 'managed',
    due: ['disk_full', 'failed'],
    async apply(world) {
      if (!world.options.smallDisk)
        return { seen: false, why: 'needs the right to mount a small file system' };
      const filler = `${world.app.dataDir}/filler`;
      await world.busy('mlx');
      execFileSync('sh', ['-c', `dd if=/dev/zero of='${filler}' bs=4k 2>/dev/null || true`]);
      const ui = await connect(world.app.ready.web);
      // The database can use its free pages for a while; a settings file is always written from the start.
      const outcome = await ui.call('settingsSet', { key: 'theme', value: 'dark' });
      const sent = await world.load.ask({ category: 'fast', stream: false });
      if (!sent.ended) throw new Error('an answer needs no disk, and failed');
      return unless(!outcome.ok && outcome.error.code === 'disk_full', 'there was room');
    },
    async mend(world) {
      await rm(`${world.app.dataDir}/filler`, { force: true });
    },
  },
  {
    name: 'client gone',
    mode: 'managed',
    async apply(world) {
      await world.busy('mlx');
      const asks = (['fast', 'coding', 'fast', 'coding'] as const).map((category) =>
        world.load.ask({ category, stream: true, leaveAfter: 400 }),
      );
      const sent = await Promise.all(asks);
      return unless(
        sent.every(({ left }) => left),
        'an answer was faster',
      );
    },
  },
  {
    name: '500 clients at once',
    mode: 'managed',
    async apply(world) {
      await world.busy('mlx');
      world.load.hold(true);
      const sent = await Promise.all(
        Array.from({ length: BURST }, (_, index) =>
          world.load.ask({
            // MLX is slower to begin an answer.
            category: index % 3 === 0 ? 'fast' : 'coding',
            stream: index % 2 === 0,
            words: 1,
            text: `${index}`,
            leaves: true,
          }),
        ),
      );
      return unless(
        sent.some(({ ms }) => ms > 1000),
        'nobody had to wait',
      );
    },
    async mend(world) {
      world.load.hold(false);
    },
  },
];
