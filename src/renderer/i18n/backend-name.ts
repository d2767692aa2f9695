import i18next, { type TFunction } from 'i18next';
import type { BackendInstance } from '../../shared/domain';
import { en } from './en';
import { LANGUAGES } from './i18n';

/** Makes the titles of the backends words of every language, unless the language has its own. */
export function addBackendNames(instances: readonly BackendInstance[]): void {
  for (const { id, title } of instances) {
    if (Object.hasOwn(en.backend, id)) continue;
    for (const language of LANGUAGES)
      i18next.addResource(language, 'translation', `backend.${id}`, title, { silent: true });
  }
}

/** The name of the source of an answer; the id of a backend that does not exist any more. */
export function backendName(id: string, t: TFunction): string {
  // The ids come from the core, so the compiler does not know them.
  return t(`backend.${id}` as 'backend.app', { defaultValue: id });
}
