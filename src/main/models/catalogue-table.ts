import type { Suggestion } from '../../shared/models';
import type { KvShape } from '../memory/kv-cache';

/** One model that can be downloaded. `light` models are repositories for MLX, all others are Ollama's tags. */
export interface CatalogueRow
  extends Pick<
    Suggestion,
    | 'name'
    | 'title'
    | 'purpose'
    | 'sizeBytes'
    | 'billions'
    | 'contextLength'
    | 'languages'
    | 'capabilities'
    | 'licence'
    | 'verified'
  > {
  /** Layers, heads and head size of the cache. Layers without a growing cache do not count. */
  kv: KvShape;
  /** The documents that the row was written from. */
  source: string;
  /** Day of the look-up. */
  lookedUp: string;
}

const LOOKED_UP = '2026-11-30';
const TEXT = ['completion', 'tools'];
const THINKS = [...TEXT, 'thinking'];
const SEES = [...THINKS, 'vision'];
const APACHE = 'Apache-2.0';
const LONG = 262_144;

/** The cache of a model: 2 bytes per number, as both servers keep it by default. */
function kv(layers: number, kvHeads: number, headDim: number): KvShape {
  return { layers, kvHeads, headDim, elementBytes: 2 };
}

type Given = Pick<CatalogueRow, 'name' | 'title' | 'sizeBytes' | 'billions' | 'kv' | 'source'> &
  Partial<CatalogueRow>;

function row(purpose: CatalogueRow['purpose'], given: Given): CatalogueRow {
  const usual = { contextLength: LONG, languages: [], capabilities: TEXT, licence: APACHE };
  return { ...usual, lookedUp: LOOKED_UP, verified: true, ...given, purpose };
}

const QWEN35 = 'guide to the small Qwen 3.5 models (sizes in Ollama, 2026-03), model cards (layers, heads)';
const QWEN3_VL = 'tag page of a copy in the Ollama library (2026), configurations of Qwen3';
const KNOWN = 'general knowledge of the Ollama library, configuration of the original model';

/**
 * All models that are suggested, the best first within a purpose. Nothing here could be downloaded: names, sizes and
 * shapes are from documents of 2026. What fits a machine is not in this table; `pair.ts` calculates it.
 */
export const CATALOGUE: readonly CatalogueRow[] = [
  row('light', {
    ...{ name: 'mlx-community/Qwen3-4B-Instruct-2507-4bit', title: 'Qwen3 4B Instruct' },
    ...{ sizeBytes: 2.27e9, billions: 4, kv: kv(36, 8, 128) },
    source: 'projects of 2026 that use it as default with mlx-lm, configuration of a 4-bit copy',
  }),
  row('light', {
    ...{ name: 'mlx-community/Qwen2.5-1.5B-Instruct-4bit', title: 'Qwen2.5 1.5B Instruct' },
    ...{ sizeBytes: 0.88e9, billions: 1.5, contextLength: 32_768, kv: kv(28, 2, 128) },
    source: 'list of models of a Mac app (2026), configuration of the original model; size not found',
    verified: false,
  }),
  row('light', {
    ...{ name: 'mlx-community/Qwen2.5-0.5B-Instruct-4bit', title: 'Qwen2.5 0.5B Instruct' },
    ...{ sizeBytes: 0.29e9, billions: 0.5, contextLength: 32_768, kv: kv(24, 2, 64) },
    source: 'configuration of the original model; name and size not found',
    verified: false,
  }),
  row('general', {
    ...{ name: 'qwen3.5:122b', title: 'Qwen3.5 122B-A10B', sizeBytes: 81e9, billions: 125 },
    ...{ capabilities: SEES, kv: kv(12, 2, 256) },
    source:
      'two projects of 2026 (81 GB in Ollama), model page (48 layers, every fourth with full attention)',
  }),
  row('general', {
    ...{ name: 'qwen3.8:27b', title: 'Qwen3.8 27B', sizeBytes: 17e9, billions: 27, capabilities: SEES },
    kv: kv(16, 4, 256),
    source:
      'course notebook of 2026 (17 GB for 32 GB of memory), model card of Qwen3.5 27B (same architecture)',
  }),
  row('general', {
    ...{ name: 'qwen3.6:35b', title: 'Qwen3.6 35B-A3B', sizeBytes: 24e9, billions: 36, capabilities: SEES },
    kv: kv(10, 2, 256),
    source:
      'comparison of local models (2026-06, 23 GB), model card (40 layers, every fourth with full attention)',
  }),
  row('general', {
    ...{ name: 'qwen3.5:9b', title: 'Qwen3.5 9B', sizeBytes: 6.6e9, billions: 9.7, capabilities: SEES },
    ...{ kv: kv(8, 4, 256), source: QWEN35 },
  }),
  row('general', {
    ...{ name: 'qwen3.5:4b', title: 'Qwen3.5 4B', sizeBytes: 3.4e9, billions: 4.7, capabilities: SEES },
    ...{ kv: kv(8, 4, 256), source: QWEN35 },
  }),
  row('general', {
    ...{ name: 'qwen3.5:2b', title: 'Qwen3.5 2B', sizeBytes: 2.7e9, billions: 2.3, capabilities: SEES },
    ...{ kv: kv(6, 2, 256), source: QWEN35 },
  }),
  row('general', {
    ...{ name: 'qwen3.5:0.8b', title: 'Qwen3.5 0.8B', sizeBytes: 1.0e9, billions: 0.9, capabilities: SEES },
    ...{ kv: kv(6, 2, 256), source: QWEN35 },
  }),
  row('coding', {
    ...{ name: 'qwen3-coder:480b', title: 'Qwen3-Coder 480B-A35B', sizeBytes: 290e9, billions: 480 },
    ...{ kv: kv(62, 8, 128), source: KNOWN, verified: false },
  }),
  row('coding', {
    ...{ name: 'qwen3-coder-next', title: 'Qwen3-Coder-Next 80B-A3B', sizeBytes: 52e9, billions: 80 },
    kv: kv(12, 2, 256),
    source:
      'guide to local coding agents (2026: 48 layers, 2 KV heads of 256), two projects (51 GB in Ollama)',
  }),
  row('coding', {
    ...{ name: 'qwen3-coder:30b', title: 'Qwen3-Coder 30B-A3B', sizeBytes: 19e9, billions: 30.5 },
    ...{ kv: kv(48, 4, 128), source: 'guides to coding models (2026, 18 to 19 GB), configuration' },
  }),
  row('coding', {
    ...{ name: 'qwen2.5-coder:14b', title: 'Qwen2.5-Coder 14B', sizeBytes: 9.0e9, billions: 14.8 },
    ...{ contextLength: 32_768, kv: kv(48, 8, 128), source: KNOWN, verified: false },
  }),
  row('coding', {
    ...{ name: 'qwen2.5-coder:7b', title: 'Qwen2.5-Coder 7B', sizeBytes: 4.7e9, billions: 7.6 },
    ...{ contextLength: 32_768, kv: kv(28, 4, 128), source: KNOWN, verified: false },
  }),
  row('coding', {
    ...{ name: 'qwen2.5-coder:1.5b', title: 'Qwen2.5-Coder 1.5B', sizeBytes: 0.99e9, billions: 1.5 },
    ...{ contextLength: 32_768, kv: kv(28, 2, 128), source: KNOWN, verified: false },
  }),
  row('reasoning', {
    ...{ name: 'gpt-oss:120b', title: 'gpt-oss 120B', sizeBytes: 65e9, billions: 117, languages: ['en'] },
    ...{ capabilities: THINKS, contextLength: 131_072, kv: kv(36, 8, 64) },
    source: 'cookbook of the maker, guide of 2026 (66 GB of memory); every second layer needs less',
  }),
  row('reasoning', {
    ...{ name: 'gpt-oss:20b', title: 'gpt-oss 20B', sizeBytes: 14e9, billions: 21, languages: ['en'] },
    ...{ capabilities: THINKS, contextLength: 131_072, kv: kv(24, 8, 64) },
    source: 'cookbook of the maker, guide of 2026 (14 GB of memory); every second layer needs less',
  }),
  row('reasoning', {
    ...{ name: 'deepseek-r1:8b', title: 'DeepSeek-R1 8B', sizeBytes: 5.2e9, billions: 8.2, licence: 'MIT' },
    ...{ capabilities: THINKS, contextLength: 131_072, kv: kv(36, 8, 128), source: KNOWN, verified: false },
  }),
  row('reasoning', {
    ...{
      name: 'deepseek-r1:1.5b',
      title: 'DeepSeek-R1 1.5B',
      sizeBytes: 1.1e9,
      billions: 1.8,
      licence: 'MIT',
    },
    ...{ capabilities: THINKS, contextLength: 131_072, kv: kv(28, 2, 128), source: KNOWN, verified: false },
  }),
  row('vision', {
    ...{ name: 'qwen3-vl:235b', title: 'Qwen3-VL 235B-A22B', sizeBytes: 143e9, billions: 236 },
    ...{ capabilities: SEES, kv: kv(94, 4, 128), source: QWEN3_VL },
  }),
  row('vision', {
    ...{ name: 'qwen3-vl:32b', title: 'Qwen3-VL 32B', sizeBytes: 21e9, billions: 33 },
    ...{ capabilities: SEES, kv: kv(64, 8, 128), source: QWEN3_VL },
  }),
  row('vision', {
    ...{ name: 'qwen3-vl:8b', title: 'Qwen3-VL 8B', sizeBytes: 6.2e9, billions: 8.8 },
    ...{ capabilities: SEES, kv: kv(36, 8, 128), source: QWEN3_VL },
  }),
  row('vision', {
    ...{ name: 'qwen3-vl:4b', title: 'Qwen3-VL 4B', sizeBytes: 3.3e9, billions: 4.4 },
    ...{ capabilities: SEES, kv: kv(36, 8, 128), source: QWEN3_VL },
  }),
  row('vision', {
    ...{ name: 'qwen3-vl:2b', title: 'Qwen3-VL 2B', sizeBytes: 1.9e9, billions: 2.1 },
    ...{ capabilities: SEES, kv: kv(28, 8, 128), source: QWEN3_VL },
  }),
  row('embedding', {
    ...{ name: 'embeddinggemma:300m', title: 'EmbeddingGemma 300M', sizeBytes: 0.62e9, billions: 0.3 },
    ...{ contextLength: 2048, capabilities: ['embedding'], licence: 'Gemma', kv: kv(24, 1, 256) },
    source: 'search page of the Ollama library (2026), general knowledge of its size; 768 dimensions',
    verified: false,
  }),
  row('embedding', {
    ...{ name: 'nomic-embed-text', title: 'Nomic Embed Text', sizeBytes: 0.274e9, billions: 0.137 },
    ...{ contextLength: 2048, languages: ['en'], capabilities: ['embedding'], kv: kv(12, 12, 64) },
    source: 'documentation of an embedding library (274 MB, 768 dimensions)',
  }),
];
