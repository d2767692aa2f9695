import type { Warning } from '../../shared/contract';
import { BACKEND_ROLES, type BackendInstance, CATEGORIES } from '../../shared/domain';
import { type ModelChoices, modelChoices } from '../../shared/model-choices';
import { SETTINGS, type Settings } from '../../shared/settings';
import { type ServerAddress, serverAddress } from '../ports/server-address';
import type { RouteBackend } from '../router/types';
import type { SettingsStore } from '../store/settings-store';
import type { Place } from './place';

/** One backend of this run: what the app knows of it besides its adapter. */
export interface BackendRow extends BackendInstance {
  /** Its server; null = the adapter finds or starts one on this machine. */
  address: ServerAddress | null;
  /** The setting of that address; absent = the address is a part of the row. */
  addressSetting?: 'mlxUrl' | 'ollamaUrl';
  /** Requests that it may compute at once. */
  slots(values: Settings): number;
  /** The models that the user has chosen for it. */
  chosen(values: Settings): RouteBackend['chosen'];
  /** Could it use the small model that set-up downloads? */
  takesSmallModel(values: Settings): boolean;
}

/** The rows of this run, without those of a kind that has no adapter. */
export function backendRows(
  settings: SettingsStore,
  place: Place,
  adapters: Readonly<Record<string, unknown>>,
): BackendRow[] {
  // A configured Python takes precedence over an MLX outside our container.
  const outside = place.env.TANDEM_MLX_PYTHON ? null : place.containerHost.mlx;
  return rowsOf(settings.values(), outside).filter(({ kind }) => Object.hasOwn(adapters, kind));
}

/** A warning for each row of the settings that is left out because its kind has no adapter. */
export function unknownKinds(
  { moreBackends }: Settings,
  adapters: Readonly<Record<string, unknown>>,
): Warning[] {
  const kinds = Object.keys(adapters).join(', ');
  return moreBackends
    .filter(({ kind }) => !Object.hasOwn(adapters, kind))
    .map(({ id, kind }) => ({
      code: 'setting_invalid',
      message: `moreBackends in the settings file has the row "${id}" of an unknown kind, "${kind}"; it is left out. Accepted kinds: ${kinds}.`,
      details: { name: 'moreBackends', entry: `${id}: ${kind}`, accepted: 'list', example: kinds },
    }));
}

/**
 * The two backends that every run has, and those of the settings; the order is that of their roles.
 * @param outside an MLX API that was found, used if the settings have no other address
 */
export function rowsOf(values: Settings, outside: string | null): BackendRow[] {
  const addressOf = (text: string | null) => (text === null ? null : serverAddress(text));
  const mlx = addressOf(values.mlxUrl ?? outside);
  const ollama = addressOf(values.ollamaUrl);
  const rows: BackendRow[] = [
    {
      ...{ id: 'mlx', kind: kindAt('mlx', mlx), role: 'light', title: 'MLX' },
      ...{ address: mlx, addressSetting: 'mlxUrl' },
      slots: ({ mlxMaxConcurrent }) => mlxMaxConcurrent,
      chosen: chosenInMlx,
      takesSmallModel: () => mlx === null,
    },
    {
      ...{ id: 'ollama', kind: 'ollama', role: 'heavy', title: 'Ollama' },
      ...{ address: ollama, addressSetting: 'ollamaUrl' },
      slots: ({ ollamaMaxConcurrent }) => ollamaMaxConcurrent,
      chosen: (values) => chosenBy(modelChoices('ollama', values), values),
      takesSmallModel: ({ smallModelInAdopted }) => ollama === null || smallModelInAdopted,
    },
    ...values.moreBackends.map(({ url, maxConcurrent, models = {}, ...instance }) => ({
      ...instance,
      kind: kindAt(instance.kind, url),
      address: serverAddress(url),
      slots: () => maxConcurrent,
      chosen: () => models,
      takesSmallModel: () => false,
    })),
  ];
  return rows.sort((a, b) => BACKEND_ROLES.indexOf(a.role) - BACKEND_ROLES.indexOf(b.role));
}

/** At an address, MLX is a server like any other. */
function kindAt(kind: string, address: ServerAddress | string | null): string {
  return kind === 'mlx' && address !== null ? 'openai' : kind;
}

/** The row of the backend that loads the models found on this disk, unless it has an address. */
export function loaderRow(rows: readonly BackendRow[]): BackendRow {
  const row = rows.find(({ addressSetting }) => addressSetting === 'mlxUrl');
  if (!row) throw new RangeError('no backend loads models from disk');
  return row;
}

/** The row as all other rooms know it. */
export function instanceOf({ id, kind, role, title }: BackendRow): BackendInstance {
  return { id, kind, role, title };
}

/** The variable, or else the setting, that names its address. */
export function settingOf({ addressSetting }: BackendRow): string {
  return addressSetting === undefined ? 'moreBackends' : SETTINGS[addressSetting].env;
}

/** Has the user given it an address that cannot be used? */
export function isUnusable({ addressSetting }: BackendRow, settings: SettingsStore): boolean {
  return addressSetting !== undefined && settings.isUnusable(addressSetting);
}

/** While MLX does only light work, its light model also does the work that nothing else can. */
function chosenInMlx(values: Settings): RouteBackend['chosen'] {
  const fast = values.mlxModelFast;
  const all = Object.fromEntries(CATEGORIES.map((category) => [category, fast]));
  return { ...all, ...chosenBy(modelChoices('mlx', values), values) };
}

function chosenBy(choices: ModelChoices, values: Settings): RouteBackend['chosen'] {
  return Object.fromEntries(Object.entries(choices).map(([category, key]) => [category, values[key]]));
}
