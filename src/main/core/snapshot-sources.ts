import type { ChatSummary } from '../../shared/chat';
import type { Warning } from '../../shared/contract';
import { hasCapableModel } from '../models/model-library';
import type { SettingsStore } from '../store/settings-store';
import { timesOf } from '../times/estimates';
import type { Place } from './place';
import type { Sources } from './projection';
import { isWanted } from './route-facts';
import type { Services } from './services';

/** The source of each part of the UI's snapshot. */
export function snapshotSources(from: {
  services: Services;
  settings: SettingsStore;
  place: Place;
  addresses: () => { gateway: string | null; mlxApi: string | null };
  chats: () => ChatSummary[];
  warnings: () => Warning[];
}): Sources {
  const { services, settings, place, addresses, chats, warnings } = from;
  const { enabled, memory, gate, queue, library, incidents, measured, downloads, setup } = services;
  return {
    app: () => ({
      version: place.version,
      host: place.host,
      platform: place.platform,
      locale: place.locale,
      gatewayUrl: addresses().gateway,
      mlxApiUrl: addresses().mlxApi,
      dataDir: place.dataDir,
    }),
    instances: () => services.registry.all().map(({ instance }) => instance),
    backends: () => enabled.map((backend) => backend.status()),
    memory: () => memory.status(),
    ledger: () => gate.ledger(),
    queue: () => queue.status(),
    life: () => incidents.life(),
    times: () => timesOf(library.models(), settings.values().modelTimeEstimates, measured),
    models: () => services.modelViews.all(),
    capable: () => hasCapableModel(library.models()),
    firstStart: () => services.firstStart.view(),
    downloads: () => downloads.list(),
    // Parts that the user switched off are not shown.
    setup: () => setup.parts().filter(({ part }) => isWanted(part, settings.values())),
    settings: () => settings.view(),
    chats,
    warnings,
  };
}
