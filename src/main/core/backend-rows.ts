import { BACKEND_ROLES, type BackendId, type BackendInstance } from '../../shared/domain';
import { own } from '../../shared/own';
import { SETTINGS, type Settings } from '../../shared/settings';
import type { Logger } from '../ports/logger';
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
  /** Could it use the small model that set-up downloads? */
  takesSmallModel(values: Settings): boolean;
}

/** The rows of this run. A row of a kind that has no adapter is logged and left out. */
export function backendRows(
  settings: SettingsStore,
  place: Place,
  adapters: Readonly<Record<string, unknown>>,
  logger: Logger,
): BackendRow[] {
  // A configured Python takes precedence over an MLX outside our container.
  const outside = place.env.TANDEM_MLX_PYTHON ? null : place.containerHost.mlx;
  return rowsOf(settings.values(), outside).filter(({ id, kind }) => {
    const known = Object.hasOwn(adapters, kind);
    if (!known) logger.warn('backend.unknown-kind', { backend: id, kind });
    return known;
  });
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
      ...{ id: 'mlx', kind: mlx === null ? 'mlx' : 'openai', role: 'light', title: 'MLX' },
      ...{ address: mlx, addressSetting: 'mlxUrl' },
      slots: ({ mlxMaxConcurrent }) => mlxMaxConcurrent,
      takesSmallModel: () => mlx === null,
    },
    {
      ...{ id: 'ollama', kind: 'ollama', role: 'heavy', title: 'Ollama' },
      ...{ address: ollama, addressSetting: 'ollamaUrl' },
      slots: ({ ollamaMaxConcurrent }) => ollamaMaxConcurrent,
      takesSmallModel: ({ smallModelInAdopted }) => ollama === null || smallModelInAdopted,
    },
    ...values.moreBackends.map(({ url, maxConcurrent, ...instance }) => ({
      ...instance,
      address: serverAddress(url),
      slots: () => maxConcurrent,
      takesSmallModel: () => false,
    })),
  ];
  return rows.sort((a, b) => BACKEND_ROLES.indexOf(a.role) - BACKEND_ROLES.indexOf(b.role));
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

/** The models that the user has chosen, by backend. */
const CHOSEN: Readonly<Record<string, (values: Settings) => RouteBackend['chosen']>> = {
  mlx({ mlxOnlyLight, mlxModelFast: fast, mlxModelDefault, mlxModelCoding, mlxModelReasoning }) {
    const [general, coding, reasoning] = mlxOnlyLight
      ? [fast, fast, fast]
      : [mlxModelDefault, mlxModelCoding, mlxModelReasoning];
    return { greeting: fast, fast, data_question: general, coding, reasoning, general };
  },
  ollama(values) {
    const { ollamaModelFast: fast, ollamaModelGeneral: general } = values;
    const { ollamaModelCoding: coding, ollamaModelReasoning: reasoning } = values;
    return { greeting: fast, fast, data_question: general, coding, reasoning, general };
  },
};

/** The models that the user has chosen for a backend. */
export function chosenIn(backend: BackendId, values: Settings): RouteBackend['chosen'] {
  return own(CHOSEN, backend)?.(values) ?? {};
}
