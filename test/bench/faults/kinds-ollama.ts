import { type Kind, unless } from './kinds.ts';
import { FRAME_FAULTS, type FrameFault } from './proxy.ts';
import { gone, killBusy } from './waits.ts';

const MET_MS = 15_000;

const NAMES: Readonly<Record<FrameFault, string>> = {
  truncated: 'ollama truncated frame',
  malformed: 'ollama malformed JSON',
  'half-character': 'ollama half a character',
  'headers-only': 'ollama headers then nothing',
  'reset-before': 'ollama reset before first byte',
  'reset-after': 'ollama reset after first byte',
  busy: 'ollama queue full (503)',
};

/** An answer of a real Ollama is broken by the proxy in front of it. */
function frame(fault: FrameFault): Kind {
  return {
    name: NAMES[fault],
    mode: 'proxied',
    async apply(world) {
      await world.busyWork('ollama');
      const met = world.proxy?.arm(fault).then(() => true);
      const late = new Promise<boolean>((settle) => setTimeout(() => settle(false), MET_MS).unref());
      return unless(await Promise.race([met, late]), 'no answer met it');
    },
    async mend(world) {
      world.proxy?.disarm();
    },
  };
}

export const OLLAMA_KINDS: readonly Kind[] = [
  { name: 'ollama server killed', mode: 'managed', apply: (world) => killBusy(world, 'ollama') },
  {
    name: 'ollama runner killed',
    mode: 'managed',
    async apply(world) {
      await world.busy('ollama');
      const runners = await world.runners();
      for (const pid of runners) process.kill(pid, 'SIGKILL');
      const ended = await Promise.all(runners.map((pid) => gone(pid)));
      return unless(runners.length > 0 && ended.every(Boolean), 'no runner was there');
    },
  },
  {
    name: 'both killed at once',
    mode: 'managed',
    async apply(world) {
      const pids = [await world.busy('ollama'), await world.busy('mlx')];
      for (const pid of pids) process.kill(pid, 'SIGKILL');
      return unless((await Promise.all(pids.map((pid) => gone(pid)))).every(Boolean), 'one lived on');
    },
  },
  ...FRAME_FAULTS.map(frame),
];
