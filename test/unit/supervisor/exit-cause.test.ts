import { describe, expect, it, test } from 'vitest';
import { type ExitEvidence, exitCause } from '../../../src/main/supervisor/exit-cause';
import { EXIT_CAUSES, type ExitCause } from '../../../src/shared/incidents';

const NOTHING: ExitEvidence = {
  exit: { code: 1, signal: null },
  named: null,
  lines: [],
  stalled: false,
  overdue: false,
  pressure: 'normal',
  killerInFlight: false,
};
const signal = (name: NodeJS.Signals) => ({ exit: { code: null, signal: name } });

/** From the evidence to the cause; unset fields are as in NOTHING. */
const TABLE: [string, Partial<ExitEvidence>, ExitCause][] = [
  ['nothing', {}, 'unknown'],
  ['an abort that says nothing', signal('SIGABRT'), 'unknown'],
  [
    'a process that could not be started',
    { exit: { code: null, signal: null, error: new Error('ENOENT') } },
    'start_failed',
  ],
  ['an abort with Metal text', { ...signal('SIGABRT'), lines: ['metal_out_of_memory'] }, 'out_of_memory'],
  ['a failed allocation', { lines: ['allocation_failed'] }, 'out_of_memory'],
  ['memory used up before the GPU hung', { lines: ['gpu_timeout', 'metal_out_of_memory'] }, 'out_of_memory'],
  ['a GPU timeout', { ...signal('SIGABRT'), lines: ['gpu_timeout'] }, 'gpu_hang'],
  ['a GPU hang', { ...signal('SIGABRT'), lines: ['gpu_hang'] }, 'gpu_hang'],
  ['a GPU that was taken away', { ...signal('SIGABRT'), lines: ['gpu_preempted'] }, 'gpu_hang'],
  ['a GPU fault', { ...signal('SIGABRT'), lines: ['gpu_fault', 'gpu_ignored'] }, 'unknown'],
  ['our kill for want of progress', { ...signal('SIGKILL'), stalled: true }, 'stalled'],
  ['the same with memory critical', { ...signal('SIGKILL'), stalled: true, pressure: 'critical' }, 'stalled'],
  ['our kill of a hung GPU', { ...signal('SIGKILL'), stalled: true, lines: ['gpu_hang'] }, 'gpu_hang'],
  [
    'our kill of one that did not end, with memory critical',
    { ...signal('SIGKILL'), overdue: true, pressure: 'critical' },
    'killed',
  ],
  ['the code for a taken port', { named: 'port_taken' }, 'port_taken'],
  ['words of a taken port', { lines: ['port_taken'] }, 'port_taken'],
  ['a folder without rights', { lines: ['folder_unwritable'] }, 'start_failed'],
  ['the code for a bad model', { named: 'bad_model', lines: ['weights_unreadable'] }, 'bad_model'],
  ['that code for want of memory', { named: 'bad_model', lines: ['metal_out_of_memory'] }, 'out_of_memory'],
  ['the code for bad arguments', { named: 'bad_arguments' }, 'bad_arguments'],
  ['the code for a broken runtime', { named: 'runtime_broken' }, 'runtime_broken'],
  ['the code for a lost parent', { named: 'parent_gone' }, 'parent_gone'],
  ['SIGKILL with memory critical', { ...signal('SIGKILL'), pressure: 'critical' }, 'killed_by_os'],
  ['SIGTERM with memory critical', { ...signal('SIGTERM'), pressure: 'critical' }, 'killed'],
  ['SIGKILL with memory unknown', { ...signal('SIGKILL'), pressure: 'unknown' }, 'killed'],
  ['SIGKILL with a suspect in flight', { ...signal('SIGKILL'), killerInFlight: true }, 'killed'],
  ['SIGINT', signal('SIGINT'), 'killed'],
  ['SIGHUP', signal('SIGHUP'), 'killed'],
  ['a crash with a suspect in flight', { ...signal('SIGSEGV'), killerInFlight: true }, 'poison'],
  ['a dead thread with a suspect in flight', { named: 'generation_dead', killerInFlight: true }, 'poison'],
  ['a dead thread', { named: 'generation_dead' }, 'generation_dead'],
  ['words of a dead thread', { lines: ['generation_thread_died'] }, 'generation_dead'],
];

describe('the cause of an exit with', () => {
  test.each(TABLE)('%s', (_what, known, cause) => {
    expect(exitCause({ ...NOTHING, ...known })).toBe(cause);
  });
});

it('every possible cause of an exit is in the table', () => {
  const shown = new Set(TABLE.map(([, , cause]) => cause));
  // Reported by the supervisor's own timer, not by an exit.
  expect(EXIT_CAUSES.filter((cause) => !shown.has(cause))).toEqual(['start_timeout']);
});
