import type { Handlers } from '../../shared/contract';
import type { DownloadService } from '../models/downloads/download-service';
import type { HubToken } from '../models/downloads/hub-token';
import type { ModelLookup } from '../models/downloads/model-lookup';

export interface DownloadParts {
  downloads: DownloadService;
  lookup: ModelLookup;
  hubToken: HubToken;
}

/** The calls about downloads. */
export function downloadHandlers({ downloads, lookup, hubToken }: DownloadParts) {
  return {
    modelLookup: (model) => lookup.find(model),
    downloadStart: async ({ insecure, ...model }) => {
      downloads.start(model, insecure);
      return {};
    },
    downloadPause: async (model) => {
      downloads.pause(model);
      return {};
    },
    downloadCancel: async (model) => {
      downloads.cancel(model);
      return {};
    },
    downloadDismiss: async (model) => {
      downloads.dismiss(model);
      return {};
    },
    hubTokenSet: async ({ token }) => {
      await hubToken.set(token);
      return {};
    },
    hubTokenState: () => hubToken.state(),
  } satisfies Partial<Handlers>;
}
