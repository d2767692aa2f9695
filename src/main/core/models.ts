import type { BackendId } from '../../shared/domain';
import type { Settings } from '../../shared/settings';
import { MlxLibrary } from '../models/mlx-library';
import { ModelScan } from '../models/model-scan';
import type { CorePorts } from './core-types';
import type { Place } from './place';

/** Creates the library of models that MLX can load, and the scan that finds them. */
export function createMlxModels(
  ports: Pick<CorePorts, 'scan' | 'logger'>,
  place: Place,
  options: {
    settings: () => Settings;
    /** The backend that loads the models. */
    backend: BackendId;
    /** False: only Ollama's folders are scanned, as no own MLX loads models. */
    readsModels: boolean;
    /** The small model's folder; null = missing. */
    small: () => string | null;
    /** A scan ended after its caller had stopped waiting. */
    onLate: () => void;
  },
): { modelScan: ModelScan; mlxModels: MlxLibrary } {
  const modelScan = new ModelScan({
    process: ports.scan,
    places: () => {
      const { modelFolders, mlxModelFast, mlxModelCoding, mlxModelReasoning, mlxModelDefault } =
        options.settings();
      const direct = [mlxModelFast, mlxModelCoding, mlxModelReasoning, mlxModelDefault];
      return {
        home: place.home,
        env: place.env,
        loadable: options.readsModels,
        small: options.small(),
        folders: modelFolders,
        direct: direct.filter((name) => name !== null),
      };
    },
    logger: ports.logger,
  });
  return {
    modelScan,
    mlxModels: new MlxLibrary({ scan: modelScan, backend: options.backend, onLate: options.onLate }),
  };
}
