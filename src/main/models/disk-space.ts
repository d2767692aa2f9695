import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';

/** Free bytes, for this user, on the disk of a path that need not exist yet; null = unknown. Synchronous. */
export function freeBytesAt(path: string): number | null {
  for (let at = path; ; at = dirname(at)) {
    try {
      const { bavail, bsize } = statfsSync(at);
      return bavail * bsize;
    } catch {
      if (dirname(at) === at) return null;
    }
  }
}
