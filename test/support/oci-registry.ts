import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** What goes wrong while a layer is being sent. */
export type RegistryFault =
  | { kind: 'none' }
  /** Sends this many bytes and then waits until the client leaves. */
  | { kind: 'stall'; afterBytes: number }
  /** Sends other bytes than the digest promises. */
  | { kind: 'corrupt' };

interface Layer {
  mediaType: string;
  digest: string;
  size: number;
}

/** A small OCI registry on loopback that serves one model out of an Ollama model folder. */
export class OciRegistry {
  fault: RegistryFault = { kind: 'none' };
  readonly #modelsDir: string;
  readonly #model: string;
  readonly #server = createServer((request, response) => void this.#serve(request, response));

  constructor(modelsDir: string, model: string) {
    this.#modelsDir = modelsDir;
    this.#model = model;
  }

  async listen(): Promise<void> {
    await new Promise<void>((settle) => this.#server.listen(0, '127.0.0.1', settle));
  }

  /** The name to pull, such as `127.0.0.1:40000/library/name:latest`. */
  get pullName(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}/library/${this.#model}:latest`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((settle) => this.#server.close(settle));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const url = request.url ?? '';
      if (url.includes('/manifests/')) return this.#send(response, await this.#manifest());
      const digest = /\/blobs\/(sha256:[0-9a-f]{64})$/.exec(url)?.[1];
      if (!digest) return void response.writeHead(404).end();
      await this.#blob(request, response, digest);
    } catch {
      response.destroy();
    }
  }

  async #manifest(): Promise<Buffer> {
    return readFile(join(this.#modelsDir, 'manifests/registry.ollama.ai/library', this.#model, 'latest'));
  }

  #send(response: ServerResponse, body: Buffer): void {
    const digest = `sha256:${createHash('sha256').update(body).digest('hex')}`;
    response.writeHead(200, {
      'content-type': 'application/vnd.docker.distribution.manifest.v2+json',
      'content-length': body.length,
      'docker-content-digest': digest,
    });
    response.end(body);
  }

  async #blob(request: IncomingMessage, response: ServerResponse, digest: string): Promise<void> {
    const path = join(this.#modelsDir, 'blobs', digest.replace(':', '-'));
    const { size } = await stat(path);
    const range = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? '');
    const start = Number(range?.[1] ?? 0);
    const end = range?.[2] ? Math.min(Number(range[2]), size - 1) : size - 1;
    response.writeHead(range ? 206 : 200, {
      'content-length': end - start + 1,
      'accept-ranges': 'bytes',
      ...(range ? { 'content-range': `bytes ${start}-${end}/${size}` } : {}),
    });
    if (request.method === 'HEAD') return void response.end();
    // Only the weights are worth a fault: the other layers are a few bytes.
    const fault = size > 100_000 ? this.fault : { kind: 'none' as const };
    let sent = 0;
    for await (const piece of createReadStream(path, { start, end, highWaterMark: 64 * 1024 })) {
      const bytes = piece as Buffer;
      if (fault.kind === 'stall' && sent >= fault.afterBytes) return await this.#untilClosed(response);
      response.write(fault.kind === 'corrupt' ? Buffer.alloc(bytes.length, 7) : bytes);
      sent += bytes.length;
      await delay(1);
    }
    response.end();
  }

  async #untilClosed(response: ServerResponse): Promise<void> {
    if (response.closed) return;
    await new Promise((settle) => response.once('close', settle));
  }

  /** Layers of the model, to size a disk or a fault by. */
  async layers(): Promise<Layer[]> {
    return (JSON.parse((await this.#manifest()).toString()) as { layers: Layer[] }).layers;
  }
}
