import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Reads a folder in which the system keeps its reports. */
export interface ReportFolder {
  /** Files whose names end so, with their times of change (wall time, ms). Rejects if the folder cannot be read. */
  list(folder: string, ending: string): Promise<readonly { name: string; changedAt: number }[]>;
  /** The first bytes of a file as text. Rejects if it cannot be read. */
  read(path: string, mostBytes: number): Promise<string>;
}

export const nodeReportFolder: ReportFolder = {
  async list(folder, ending) {
    const names = (await readdir(folder)).filter((name) => name.endsWith(ending));
    return Promise.all(
      names.map(async (name) => ({ name, changedAt: (await stat(join(folder, name))).mtimeMs })),
    );
  },

  async read(path, mostBytes) {
    const file = await open(path, 'r');
    try {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(mostBytes), 0, mostBytes, 0);
      return buffer.toString('utf8', 0, bytesRead);
    } finally {
      await file.close();
    }
  },
};
