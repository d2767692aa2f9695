import { chmod, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AppOptions } from '../../support/app.ts';
import { withoutSmallModel } from '../../support/counting-model.ts';
import { type MeteredApp, startMeteredApp } from '../../support/metered-app.ts';
import { TINY, writeRandomModel } from '../../support/random-model.ts';

const SERVERS = join(import.meta.dirname, '../../support/scripted-servers.mjs');
/** Name of the model on each server. */
export const MODELS = { mlx: 'tiny', ollama: 'steady' } as const;
const SLOTS = '4';
/** `ollama` and `python` in one: the shell prints the versions, which avoids a start of Node. */
const PROGRAM = `#!/bin/sh
case "$1" in
  --version) echo 'ollama version is 0.34.0' ;;
  -c) echo 0.32.2 ;;
  *) exec '${process.execPath}' '${SERVERS}' "$@" ;;
esac
`;

/** The built host, supervising both scripted servers. @param folder for all files; removed by the caller */
export async function startSoakApp(folder: string): Promise<MeteredApp> {
  return startMeteredApp(folder, await scriptedWorld(folder));
}

/** Start options of the host to supervise both scripted servers, with all files below `folder`. */
export async function scriptedWorld(folder: string): Promise<AppOptions & { dataDir: string }> {
  const program = join(folder, 'server');
  const dataDir = join(folder, 'data');
  await mkdir(folder, { recursive: true });
  await writeFile(program, PROGRAM);
  await chmod(program, 0o700);
  await writeRandomModel(join(folder, MODELS.mlx), TINY);
  await withoutSmallModel(dataDir);
  return {
    dataDir,
    env: {
      HOME: folder,
      TANDEM_MLX_PYTHON: program,
      TANDEM_OLLAMA_BIN: program,
      MLX_MODEL_FAST: join(folder, MODELS.mlx),
      OLLAMA_MODEL_GENERAL: MODELS.ollama,
      OLLAMA_MODEL_CODING: MODELS.ollama,
      MLX_MAX_CONCURRENT: SLOTS,
      OLLAMA_MAX_CONCURRENT: SLOTS,
      MLX_RATE_LIMIT_MAX: '0',
    },
  };
}

export interface Bytes {
  database: number;
  logs: number;
  others: number;
}

/** Bytes of the files in the data folder, by kind. */
export async function fileBytes(dataDir: string): Promise<Bytes> {
  const bytes: Bytes = { database: 0, logs: 0, others: 0 };
  for (const entry of await readdir(dataDir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const { size } = await stat(path);
    if (entry.name.startsWith('tandem.db')) bytes.database += size;
    else if (path.startsWith(join(dataDir, 'logs'))) bytes.logs += size;
    else bytes.others += size;
  }
  return bytes;
}
