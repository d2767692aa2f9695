import { signalAll } from '../../support/processes.ts';
import { type Kind, unless } from './kinds.ts';
import { FRAME_FAULTS, type FrameFault } from './proxy.ts';
import { EFFECT_MS, gone, holds, killBusy } from './waits.ts';

const NAMES: Readonly<Record<FrameFault, string>> = {
  truncated: 'ollama truncated frame',
  malformed: 'ollama malformed JSON',
  'half-character': 'ollama half a character',
  'headers-only': 'ollama headers then nothing',
  'reset-before': 'ollama reset before first byte',
  'reset-after': 'ollama reset after first byte',
  busy: 'ollama queue full (503)',
};

/** The proxy in front of a real Ollama breaks an answer. */
function frame(fault: FrameFault): Kind {
  return {
    name: NAMES[fault],
    mode: 'proxied',
    short: fault !== 'headers-only',
    async apply(world) {
      await world.busyWork('ollama');
      const met = world.proxy?.arm(fault).then(() => true);
      const late = new Promise<boolean>((settle) => setTimeout(() => settle(false), EFFECT_MS).unref());
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
    name: 'ollama stopped (hang)',
    mode: 'managed',
    shippedOnly: true,
    async apply(world) {
      const pid = await world.busy('ollama');
      process.kill(pid, 'SIGSTOP');
      return unless(await gone(pid), 'nobody ended it');
    },
  },
  {
    name: 'ollama runner killed',
    mode: 'managed',
    async apply(world) {
      await world.busy('ollama');
      const runners = await world.runners();
      const reached = runners.length > 0 && signalAll(runners, 'SIGKILL');
      const ended = await Promise.all(runners.map((pid) => gone(pid)));
      return unless(reached && ended.every(Boolean), 'no runner was there');
    },
  },
  {
    name: 'both killed at once',
    mode: 'managed',
    async apply(world) {
      const pids = await world.busyAll();
      const reached = signalAll(pids, 'SIGKILL');
      const ended = await Promise.all(pids.map((pid) => gone(pid)));
      return unless(reached && ended.every(Boolean), 'one lived on, or had gone');
    },
  },
  ...FRAME_FAULTS.map(frame),
  {
    name: 'mlx killed, Ollama free (handover)',
    mode: 'proxied',
    async apply(world) {
      world.load.hold(true);
      const idle = async () =>
        (await world.running('ollama')) + (await world.running('mlx')) + (await world.waiting()) === 0;
      if (!(await holds(idle, EFFECT_MS))) return { seen: false, why: 'the load did not end' };
      const asked = world.load.ask({ category: 'fast', stream: false });
      const pid = await world.busy('mlx');
      const before = world.proxy?.arrivals.length ?? 0;
      process.kill(pid, 'SIGKILL');
      const sent = await asked;
      const arrived = world.proxy?.arrivals[before];
      const exitAt = await world.exitOf('mlx');
      if (arrived !== undefined && exitAt !== null) world.options.onHandover(arrived - exitAt);
      return unless(arrived !== undefined && sent.backend === 'ollama', 'it was not handed over');
    },
    async mend(world) {
      world.load.hold(false);
    },
  },
];
