import type { ExitCause } from '../../shared/incidents';

/** What happened and what Tandem does about it, one sentence per cause; the UI has the same in its languages. */
const WORDS: Readonly<Record<ExitCause, string>> = {
  out_of_memory: 'ran out of memory; it is started again when there is enough.',
  gpu_hang: 'was stopped by the system because the GPU hung; it is started again.',
  generation_dead: 'stopped generating; it is started again.',
  poison: 'was ended by a request that has ended it before; it is started again.',
  port_taken: 'found its port taken; it is started again on another one.',
  bad_model: 'cannot load its model; choose another model or install it again, then restart.',
  bad_arguments: 'was started with arguments it does not know; install its runtime again, then restart.',
  killed: 'was ended from outside; it is started again.',
  killed_by_os:
    'was ended by the system, which had no memory left; it is started again when there is enough.',
  parent_gone: 'lost its connection to Tandem; it is started again.',
  stalled: 'made no progress; it was ended and is started again.',
  runtime_broken: 'cannot be started, its runtime is broken; install it again, then restart.',
  start_failed: 'could not be started; it is tried again.',
  start_timeout: 'took too long to start; it is tried again.',
  unknown: 'ended for an unknown reason; it is started again.',
};

/** @param server name of the server, as the start of the sentence */
export function exitWords(server: string, cause: ExitCause): string {
  return `${server} ${WORDS[cause]}`;
}
