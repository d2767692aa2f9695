import type { Suggestion } from '../../shared/contract';
import type { BackendId, ModelInfo } from '../../shared/domain';
import { fitOf, GPU_SHARE } from './fit';

/**
 * Suggested Ollama models, smallest first within a purpose. Sizes are the bytes of the default 4-bit downloads in the
 * public library.
 */
const CATALOGUE: readonly Omit<Suggestion, 'fit'>[] = [
  { name: 'qwen2.5:3b', title: 'Qwen2.5 3B', purpose: 'light', sizeBytes: 1.9e9 },
  { name: 'phi3.5:3.8b', title: 'Phi-3.5 mini', purpose: 'light', sizeBytes: 2.2e9 },
  { name: 'qwen2.5-coder:7b', title: 'Qwen2.5-Coder 7B', purpose: 'code', sizeBytes: 4.7e9 },
  { name: 'qwen2.5-coder:14b', title: 'Qwen2.5-Coder 14B', purpose: 'code', sizeBytes: 9.0e9 },
  { name: 'qwen2.5-coder:32b', title: 'Qwen2.5-Coder 32B', purpose: 'code', sizeBytes: 20e9 },
  { name: 'deepseek-r1:14b', title: 'DeepSeek-R1 14B', purpose: 'reasoning', sizeBytes: 9.0e9 },
  { name: 'deepseek-r1:32b', title: 'DeepSeek-R1 32B', purpose: 'reasoning', sizeBytes: 20e9 },
  { name: 'llama3.3:70b', title: 'Llama 3.3 70B', purpose: 'reasoning', sizeBytes: 43e9 },
];

/**
 * One suggestion per purpose that is not installed on `host`, the backend that downloads models: the largest that fits
 * well, else the smallest that fits at all. Empty if nothing fits.
 */
export function suggestModels(
  totalBytes: number,
  models: readonly Pick<ModelInfo, 'backend' | 'name'>[],
  host: BackendId,
): Suggestion[] {
  const have = new Set(models.filter(({ backend }) => backend === host).map(({ name }) => name));
  const suggestions: Suggestion[] = [];
  for (const purpose of ['code', 'light', 'reasoning'] as const) {
    const fitting = CATALOGUE.filter((entry) => entry.purpose === purpose && !have.has(entry.name))
      .map((entry) => ({ ...entry, fit: fitOf(entry, totalBytes * GPU_SHARE) }))
      .filter((entry): entry is Suggestion => entry.fit === 'yes' || entry.fit === 'tight');
    const best = fitting.findLast((entry) => entry.fit === 'yes') ?? fitting[0];
    if (best) suggestions.push(best);
  }
  return suggestions;
}
