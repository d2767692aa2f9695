import { lookup } from 'node:dns/promises';
import { existsSync } from 'node:fs';
import type { Fetcher } from '../ports/fetcher';

/** Servers of the machine that runs our container; null = none, or no container. */
export interface ContainerHost {
  /** An MLX API that answered. */
  mlx: string | null;
  /** Where an Ollama may be; whether it answers is checked repeatedly. */
  ollama: string | null;
}

export interface ContainerPorts {
  env: Readonly<Record<string, string | undefined>>;
  fetcher: Fetcher;
  exists?: (path: string) => boolean;
  /** Rejects when the name is unknown. */
  resolve?: (name: string) => Promise<unknown>;
}

/** The name that container engines give their host. */
const NAME = 'host.docker.internal';
/** For the name and for the answer, ms each. */
const LIMIT_MS = 1_000;

/** Searches for the host's servers if we run in a container. Never rejects; takes at most two seconds. */
export async function findContainerHost(ports: ContainerPorts): Promise<ContainerHost> {
  const { env, fetcher, exists = existsSync, resolve = lookup } = ports;
  const inside = env.container !== undefined || exists('/.dockerenv') || exists('/run/.containerenv');
  if (!inside || !(await resolves(resolve))) return { mlx: null, ollama: null };
  const mlx = `http://${NAME}:11435`;
  return { mlx: (await answers(fetcher, mlx)) ? mlx : null, ollama: `http://${NAME}:11434` };
}

async function resolves(resolve: (name: string) => Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const giveUp = new Promise<boolean>((settle) => {
    timer = setTimeout(() => settle(false), LIMIT_MS);
  });
  const found = resolve(NAME).then(
    () => true,
    () => false,
  );
  return Promise.race([found, giveUp]).finally(() => clearTimeout(timer));
}

async function answers(fetcher: Fetcher, url: string): Promise<boolean> {
  try {
    const response = await fetcher(`${url}/health`, { signal: AbortSignal.timeout(LIMIT_MS) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
