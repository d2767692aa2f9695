import { type BackendInstance, isServing, type ModelInfo } from '../../../shared/domain';
import { TandemError } from '../../../shared/errors';
import type { BackendStatus } from '../../../shared/status';
import { parseModelChoice } from '../model-choice';

/** The model name that lets Tandem choose; listed, so that clients with a model picker can offer it. */
const AUTO = 'auto';

/**
 * Body of `/api/tags`: `auto`, then every model under its own name. A name on several backends is listed once plain
 * (Tandem chooses) and once per backend with its prefix.
 */
export function tagsBody(models: readonly ModelInfo[], now: Date): object {
  const owners = new Map<string, number>();
  for (const { name } of models) owners.set(name, (owners.get(name) ?? 0) + 1);
  const listed = new Set<string>();
  const entries: object[] = [];
  for (const model of models) {
    if (!listed.has(model.name)) entries.push(tag(model.name, model, now));
    listed.add(model.name);
    if ((owners.get(model.name) ?? 0) > 1) entries.push(tag(`${model.backend}/${model.name}`, model, now));
  }
  return { models: models.length === 0 ? [] : [autoTag(now), ...entries] };
}

function tag(name: string, model: ModelInfo, now: Date): object {
  return {
    name,
    model: name,
    modified_at: model.modifiedAt ?? now.toISOString(),
    size: model.sizeBytes ?? 0,
    digest: '',
    details: details(model),
    capabilities: model.capabilities,
    tandem: ownFacts(model),
  };
}

/** Facts for which Ollama's dialect has no field. */
function ownFacts(model: ModelInfo): object {
  const { backend, weight, small, languages, remote } = model;
  return { backend, weight, small, languages, remote, context_length: contextOf(model) };
}

/** Tokens that a request may take, prompt and answer together; null = unknown. */
function contextOf({ pinnedContext, contextLength }: ModelInfo): number | null {
  return pinnedContext ?? contextLength;
}

function autoTag(now: Date): object {
  return {
    name: AUTO,
    model: AUTO,
    modified_at: now.toISOString(),
    size: 0,
    digest: '',
    details: details(null),
    capabilities: ['completion'],
    tandem: { backend: null },
  };
}

function details(model: ModelInfo | null): object {
  return {
    parent_model: '',
    format: '',
    family: '',
    families: null,
    parameter_size: model?.billions == null ? '' : parameterSize(model.billions),
    quantization_level: model?.quantisation ?? '',
  };
}

function parameterSize(billions: number): string {
  return billions >= 1 ? `${billions.toFixed(1)}B` : `${(billions * 1000).toFixed(1)}M`;
}

/** Body of `/api/ps`: the model that each serving backend has loaded. */
export function psBody(backends: readonly BackendStatus[], models: readonly ModelInfo[]): object {
  const loaded = backends.flatMap((backend) => {
    const { id, model: name, state, memoryBytes } = backend;
    if (name === null || !isServing(state)) return [];
    const model = models.find((known) => known.backend === id && known.name === name) ?? null;
    const context = model && contextOf(model);
    return [
      {
        name,
        model: name,
        size: memoryBytes ?? model?.sizeBytes ?? 0,
        digest: '',
        details: details(model),
        size_vram: 0,
        ...(context ? { context_length: context } : {}),
        tandem: { backend: id },
      },
    ];
  });
  return { models: loaded };
}

/** Body of `/api/show`, from the scanner's facts; `named` returns the models of a name. Throws `model_not_found`. */
export function showBody(
  asked: string,
  named: (name: string) => readonly ModelInfo[],
  backends: readonly BackendInstance[],
  now: Date,
): object {
  const choice = parseModelChoice(asked, { backends, named });
  if (choice.kind !== 'named') {
    return {
      details: details(null),
      model_info: {},
      capabilities: ['completion'],
      modified_at: now.toISOString(),
    };
  }
  const model = named(choice.name).find(
    ({ backend }) => choice.backend === undefined || choice.backend === backend,
  );
  if (!model) throw new TandemError('model_not_found', `model '${asked}' not found`);
  const context = contextOf(model);
  return {
    // The form of a Modelfile's parameters.
    ...(context === null ? {} : { parameters: `num_ctx                        ${context}` }),
    details: details(model),
    model_info: {
      ...(model.billions === null ? {} : { 'general.parameter_count': Math.round(model.billions * 1e9) }),
      ...(context === null ? {} : { 'general.context_length': context }),
    },
    capabilities: model.capabilities,
    modified_at: model.modifiedAt ?? now.toISOString(),
    tandem: ownFacts(model),
  };
}
