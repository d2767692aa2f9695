import { access, constants, stat } from 'node:fs/promises';

/** Long enough for a disk that wakes up; a network volume that hangs must not hold up whoever asks. */
const LIMIT_MS = 5_000;

/** Is there a folder of this path that can be read? False also when nothing answers within 5 s. Never rejects. */
export async function isReadableFolder(path: string): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), LIMIT_MS);
  });
  const look = async () => {
    await access(path, constants.R_OK | constants.X_OK);
    return (await stat(path)).isDirectory();
  };
  try {
    return await Promise.race([look().catch(() => false), tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
