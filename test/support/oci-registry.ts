import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** The fault while a layer is sent. */
export type RegistryFault =
  | { kind: 'none' }
  /** Sends this many bytes, then waits until the client disconnects. */
  | { kind: 'stall'; afterBytes: number }
  /** Sends bytes that do not match the digest. */
  | { kind: 'corrupt' };

/** Layers up to this size (template, parameters, licence) are sent at once and without faults. */
const SMALL_LAYER_BYTES = 100_000;
const BYTES_PATH = '/bytes';

/** A small OCI registry on loopback that serves one model from an Ollama model folder. */
export class OciRegistry {
  fault: RegistryFault = { kind: 'none' };
  /** Pause after every 64 KiB of the weights, ms: slow enough to observe. */
  pauseMs = 1;
  readonly #modelsDir: string;
  readonly #model: string;
  readonly #serving = new Set<ServerResponse>();
  #requests = 0;
  readonly #server = createServer((request, response) => void this.#serve(request, response));

  constructor(modelsDir: string, model: string) {
    this.#modelsDir = modelsDir;
    this.#model = model;
  }

  async listen(): Promise<void> {
    await new Promise<void>((settle) => this.#server.listen(0, '127.0.0.1', settle));
  }

  /** The name to pull, such as `127.0.0.1:40000/library/name:latest`; by default that of the served model. */
  pullName(model = this.#model): string {
    return `127.0.0.1:${this.#port()}/library/${model}:latest`;
  }

  #port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((settle) => this.#server.close(settle));
  }

  /** Resolves when no client is being served. */
  async idle(): Promise<void> {
    while (this.#serving.size > 0)
      await new Promise((settle) => [...this.#serving][0]?.once('close', settle));
  }

  /** Resolves after `ms` without a request; rejects when one arrives, for instance from a download that continues. */
  async quiet(ms: number): Promise<void> {
    const before = this.#requests;
    await delay(ms);
    if (this.#requests !== before) throw new Error(`${this.#requests - before} requests came`);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#requests += 1;
    this.#serving.add(response);
    response.once('close', () => this.#serving.delete(response));
    try {
      const url = request.url ?? '';
      if (url === `/v2/library/${this.#model}/manifests/latest`)
        return this.#send(response, await this.#manifest());
      const [, place, digest] = /(.*)\/(sha256:[0-9a-f]{64})$/.exec(url) ?? [];
      if (!digest) return void response.writeHead(404).end();
      // Ollama requires a redirect for the bytes, to a different host name.
      if (request.method === 'GET' && place !== BYTES_PATH) {
        const location = `http://localhost:${this.#port()}${BYTES_PATH}/${digest}`;
        return void response.writeHead(307, { location }).end();
      }
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
    // Only the weights get the fault: the other layers are a few bytes.
    const fault = size > SMALL_LAYER_BYTES ? this.fault : { kind: 'none' as const };
    let sent = 0;
    for await (const piece of createReadStream(path, { start, end, highWaterMark: 64 * 1024 })) {
      const bytes = piece as Buffer;
      if (fault.kind === 'stall' && sent >= fault.afterBytes) return await this.#untilClosed(response);
      response.write(fault.kind === 'corrupt' ? Buffer.alloc(bytes.length, 7) : bytes);
      sent += bytes.length;
      if (size > SMALL_LAYER_BYTES) await delay(this.pauseMs);
    }
    response.end();
  }

  async #untilClosed(response: ServerResponse): Promise<void> {
    if (response.closed) return;
    await new Promise((settle) => response.once('close', settle));
  }
}
