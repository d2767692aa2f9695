import { execFile } from 'node:child_process';
import type { FileStore } from '../ports/file-store';
import { createLinuxSampler } from './linux-sampler';
import { createMacosSampler, type RunCommand } from './macos-sampler';
import type { MemorySampler } from './types';

const COMMAND_TIMEOUT_MS = 2000;

/** The sampler for this OS; on an unsupported OS each sample rejects, so that memory shows as unknown. */
export function createMemorySampler(
  platform: NodeJS.Platform,
  files: Pick<FileStore, 'readText'>,
  run: RunCommand = runCommand,
): MemorySampler {
  if (platform === 'linux') return createLinuxSampler(files);
  if (platform === 'darwin') return createMacosSampler(run);
  return { sample: () => Promise.reject(new Error(`memory cannot be read on ${platform}`)) };
}

/** No shell, killed after 2 s. `sysctl` exits with 1 if one of the names is unknown, and prints the others. */
export const runCommand: RunCommand = (command, args) =>
  new Promise((resolve, reject) => {
    execFile(command, [...args], { encoding: 'utf8', timeout: COMMAND_TIMEOUT_MS }, (error, stdout) => {
      if (error && stdout === '') reject(error);
      else resolve(stdout);
    });
  });
