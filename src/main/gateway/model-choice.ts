import {
  type BackendId,
  CATEGORIES,
  type Category,
  type ModelChoice,
  type ModelInfo,
} from '../../shared/domain';
import { TandemError } from '../../shared/errors';
import { own } from '../../shared/own';

/** Older names of two categories. */
const ALIASES: Readonly<Record<string, Category>> = { code: 'coding', default: 'general' };

/** Letters of any script, then the characters of model names: no path upwards, no shell characters. */
const NAME_FORM = /^[\p{L}\p{N}_][\p{L}\p{M}\p{N}._:@+ -]*(?:\/[\p{L}\p{N}_][\p{L}\p{M}\p{N}._:@+ -]*)*$/u;
const MAX_NAME = 300;

/** The backends and the models that a name may mean. */
export interface KnownNames {
  backends: readonly { id: BackendId }[];
  /** The models of a name, on all backends. */
  named(name: string): readonly Pick<ModelInfo, 'backend' | 'name'>[];
}

/** Parses a category's name or alias; throws `bad_request` for anything else. */
export function parseCategory(text: string): Category {
  const name = text.trim().toLowerCase();
  const category = own(ALIASES, name) ?? CATEGORIES.find((known) => known === name);
  if (!category) {
    throw new TandemError('bad_request', `unknown category; use one of ${CATEGORIES.join(', ')}`);
  }
  return category;
}

/**
 * Parses `auto`, `auto:<category>`, `<name>` or `<backend>/<name>`; with `<backend>/auto` Tandem chooses a model of that
 * backend. The name of a folder may have any form, so a listed name is always valid. It means itself: a backend may
 * have the id of an organisation, as in `org/model`. Throws `bad_model_name`, or `bad_request` for an unknown category.
 */
export function parseModelChoice(text: string, { backends, named }: KnownNames): ModelChoice {
  const name = text.trim();
  if (name === 'auto' || name === 'auto:latest') return { kind: 'auto' };
  if (name.startsWith('auto:')) return { kind: 'auto', category: parseCategory(name.slice(5)) };
  const backend = backends.find(({ id }) => name.startsWith(`${id}/`))?.id;
  const rest = backend ? name.slice(backend.length + 1) : name;
  const listed = named(name);
  if (listed.some((model) => model.name === name)) return { kind: 'named', name };
  if (backend && named(rest).some((model) => model.backend === backend)) return choiceOn(backend, rest);
  if (listed.length > 0) return { kind: 'named', name };
  if (name.length > MAX_NAME || !NAME_FORM.test(name) || name.includes('..')) {
    throw new TandemError('bad_model_name', 'invalid model name; use a name that /api/tags lists, or "auto"');
  }
  return backend ? choiceOn(backend, rest) : { kind: 'named', name };
}

function choiceOn(backend: BackendId, name: string): ModelChoice {
  return name === 'auto' ? { kind: 'backend', backend } : { kind: 'named', name, backend };
}
