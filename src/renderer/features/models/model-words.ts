import type { TFunction } from 'i18next';
import type { ModelView } from '../../../shared/models';
import { backendName } from '../../i18n/backend-name';
import { en } from '../../i18n/en';
import type { Format } from '../../i18n/use-format';

/** A word of the server's for what a model can do; its own word if Tandem has none. */
export function capabilityWords(capability: string, t: TFunction): string {
  if (!Object.hasOwn(en.models.capabilities, capability)) return capability;
  return t(`models.capabilities.${capability as keyof typeof en.models.capabilities}`);
}

/** Weight and fit; null where they are unknown. */
export function weightWords({ weight }: ModelView, t: TFunction): string | null {
  return weight === 'unknown' ? null : t(`models.weights.${weight}`);
}

/** The facts on the line below a model's name. */
export function modelFacts(model: ModelView, t: TFunction, format: Format): string[] {
  const { billions, quantisation, remote, small, load } = model;
  return [
    load === 'none' ? null : t(`models.load.${load}`),
    remote ? t('models.remote') : null,
    small ? t('models.small') : null,
    billions === null ? null : format.parameters(billions),
    quantisation,
    weightWords(model, t),
  ].filter((fact) => fact !== null);
}

/** `CODE:REST` as two; without a colon the rest is empty. */
function codeAndRest(text: string): [string, string] {
  const colon = text.indexOf(':');
  return colon === -1 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
}

/** Why a model cannot be used; `broken` is `REASON:FILE`. A reason that Tandem has no words for is shown as it is. */
export function brokenWords(broken: string, t: TFunction): string {
  const [reason, file] = codeAndRest(broken);
  if (!Object.hasOwn(en.models.broken, reason)) return broken;
  return t(`models.broken.${reason as keyof typeof en.models.broken}`, { file });
}

/** Why a server cannot run a model; `refused` is `REASON` or `REASON:NAME`. */
export function refusalWords(refused: string, t: TFunction): string {
  const [reason, name] = codeAndRest(refused);
  if (!Object.hasOwn(en.models.refused, reason)) return refused;
  return t(`models.refused.${reason as keyof typeof en.models.refused}`, { name });
}

/** Names of languages in the UI's language. */
export function languageNames(codes: readonly string[], language: string): string[] {
  const names = new Intl.DisplayNames(language, { type: 'language', fallback: 'code' });
  return codes.map((code) => {
    try {
      return names.of(code) ?? code;
    } catch {
      // Not a valid code; the model's maker wrote something else there.
      return code;
    }
  });
}

/** Whether each word of the query occurs in the model's name or facts. */
export function isHit(model: ModelView, query: string, t: TFunction): boolean {
  const { name, backend, quantisation, capabilities, usedFor } = model;
  const words = [
    name,
    backendName(backend, t),
    quantisation,
    weightWords(model, t),
    ...capabilities.map((capability) => capabilityWords(capability, t)),
    ...usedFor.map((category) => t(`models.categories.${category}`)),
  ];
  const text = words.join(' ').toLowerCase();
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
