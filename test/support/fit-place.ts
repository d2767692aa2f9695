import { OLLAMA_BEHAVIOUR } from '../../src/main/backends/ollama/ollama-options';
import type { FitPlace } from '../../src/main/models/fit';

/** A server alone on a machine with `gib` GiB of memory. */
export function fitPlaceOf(gib: number): FitPlace {
  return {
    machine: { totalBytes: gib * 2 ** 30, criticalPercent: 95 },
    behaviour: OLLAMA_BEHAVIOUR,
    partner: null,
    contextTokens: 16_384,
  };
}
