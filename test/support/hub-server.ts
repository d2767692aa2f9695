import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** What happens to the bytes of a large file. */
export type HubFault =
  | { kind: 'none' }
  /** Sends the file up to this byte, then nothing until the client disconnects. */
  | { kind: 'stall'; afterBytes: number }
  /** Closes the connection after this many bytes of each answer. */
  | { kind: 'truncate'; afterBytes: number }
  /** Sends bytes that do not match the digest. */
  | { kind: 'corrupt' };

export interface HubRepo {
  /** By path in the repository. */
  files: Record<string, Buffer>;
  /** Commit; 40 hex digits. */
  sha?: string;
  /** Declares another size for a large file than it has. */
  declaredBytes?: number;
  gated?: boolean;
  licence?: string;
  /** What the hub repeats of config.json in its description. */
  config?: object;
}

export interface SeenRequest {
  method: string;
  /** Host that the client called, also through a proxy. */
  host: string;
  path: string;
  range: string | undefined;
  authorization: string | undefined;
}

/** Larger files are stored outside of git: another host serves them, by their SHA-256. */
const LARGE_BYTES = 20_000;
const PIECE_BYTES = 64 * 1024;

/**
 * A small Hugging Face hub on loopback: descriptions, versions of files, ranges, redirects of large files, tokens. It is
 * also a proxy that leads every name to itself.
 */
export class HubServer {
  readonly repos: Record<string, HubRepo> = {};
  /** Names that the hub still knows, and the repository that each stands for. */
  readonly oldNames: Record<string, string> = {};
  fault: HubFault = { kind: 'none' };
  /** The only accepted token. */
  token = 'hf_a-token-of-the-test';
  /** Host of large files; by default another name of this server. */
  cdnHost: string | null = null;
  readonly requests: SeenRequest[] = [];
  readonly #stalled = new Set<ServerResponse>();
  readonly #server;
  readonly #scheme: string;

  constructor(tls?: { key: string; cert: string }) {
    const serve = (request: IncomingMessage, response: ServerResponse) => void this.#serve(request, response);
    this.#server = tls ? createTlsServer(tls, serve) : createServer(serve);
    this.#scheme = tls ? 'https' : 'http';
    // A proxy's tunnel: every name leads here.
    this.#server.on('connect', (_request, socket: Socket) => {
      const inner = connect(this.#port, '127.0.0.1', () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
      for (const one of [inner, socket]) one.on('error', () => {});
      socket.pipe(inner).pipe(socket);
    });
  }

  async listen(): Promise<this> {
    await new Promise<void>((settle) => this.#server.listen(0, '127.0.0.1', settle));
    return this;
  }

  get url(): string {
    return `${this.#scheme}://127.0.0.1:${this.#port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((settle) => this.#server.close(settle));
  }

  /** Where the requests for large files began, in order. */
  starts(): number[] {
    const large = this.requests.filter(({ method, path }) => method === 'GET' && path.startsWith('/cdn/'));
    return large.map(({ range }) => startOf(range));
  }

  /** Closes the connections that stall; a client that resumes gets the rest unless the fault is still set. */
  dropStalled(): void {
    for (const response of this.#stalled) response.destroy();
    this.#stalled.clear();
  }

  get #port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', headers } = request;
    // A client sends the whole address to a proxy.
    const url = new URL(request.url ?? '', `${this.#scheme}://${headers.host}`);
    const path = decodeURIComponent(url.pathname);
    const { range, authorization } = headers;
    this.requests.push({ method, host: url.hostname, path, range, authorization });
    try {
      const [, digest] = /^\/cdn\/([0-9a-f]{64})$/.exec(path) ?? [];
      if (digest) return await this.#bytes(request, response, this.#large(digest));
      const [, described] = /^\/api\/models\/([^/]+(?:\/[^/]+)?)(?:\/revision\/\w+)?$/.exec(path) ?? [];
      if (described) return this.#describe(request, response, described);
      const [, repo = '', name = ''] = /^\/(.+?)\/resolve\/\w+\/(.+)$/.exec(path) ?? [];
      await this.#file(request, response, repo, name);
    } catch {
      response.destroy();
    }
  }

  #describe(request: IncomingMessage, response: ServerResponse, asked: string): void {
    const id = this.oldNames[asked] ?? asked;
    const repo = this.#open(request, response, id, false);
    if (!repo) return;
    const siblings = Object.entries(repo.files).map(([rfilename, bytes]) => ({
      rfilename,
      size: isLarge(bytes) ? (repo.declaredBytes ?? bytes.length) : bytes.length,
      blobId: gitHash(bytes),
      ...(isLarge(bytes) ? { lfs: { sha256: sha256(bytes), size: bytes.length, pointerSize: 130 } } : {}),
    }));
    const { licence, gated = false, config } = repo;
    json(response, 200, {
      ...{ id, modelId: id, sha: shaOf(repo), private: false, siblings, tags: [] },
      gated: gated && 'manual',
      ...(licence === undefined ? {} : { cardData: { license: licence } }),
      ...(config === undefined ? {} : { config }),
    });
  }

  async #file(request: IncomingMessage, response: ServerResponse, id: string, name: string): Promise<void> {
    const repo = this.#open(request, response, id, true);
    if (!repo) return;
    const bytes = repo.files[name];
    if (!bytes) return refuse(response, 404, 'EntryNotFound');
    response.setHeader('x-repo-commit', shaOf(repo));
    if (!isLarge(bytes)) {
      response.setHeader('etag', `"${gitHash(bytes)}"`);
      return this.#bytes(request, response, bytes);
    }
    response.setHeader('x-linked-etag', `"${sha256(bytes)}"`);
    response.setHeader('x-linked-size', repo.declaredBytes ?? bytes.length);
    const host = this.cdnHost ?? `localhost:${this.#port}`;
    response.writeHead(302, { location: `${this.#scheme}://${host}/cdn/${sha256(bytes)}` }).end();
  }

  /** The repository, if this client may read it; else the refusal is sent. */
  #open(request: IncomingMessage, response: ServerResponse, id: string, files: boolean): HubRepo | null {
    const { authorization } = request.headers;
    const repo = this.repos[id];
    if (authorization && authorization !== `Bearer ${this.token}`) {
      response.setHeader('x-error-message', 'Invalid credentials in Authorization header');
      refuse(response, 401);
    } else if (!repo) refuse(response, 401, 'RepoNotFound');
    else if (files && repo.gated && !authorization) refuse(response, 401, 'GatedRepo');
    else return repo;
    return null;
  }

  #large(digest: string): Buffer {
    const files = Object.values(this.repos).flatMap((repo) => Object.values(repo.files));
    const found = files.find((bytes) => isLarge(bytes) && sha256(bytes) === digest);
    if (!found) throw new RangeError(digest);
    return found;
  }

  async #bytes(request: IncomingMessage, response: ServerResponse, bytes: Buffer): Promise<void> {
    const start = startOf(request.headers.range);
    const size = bytes.length;
    response.writeHead(start > 0 ? 206 : 200, {
      'content-length': size - start,
      'accept-ranges': 'bytes',
      ...(start > 0 ? { 'content-range': `bytes ${start}-${size - 1}/${size}` } : {}),
    });
    if (request.method === 'HEAD') return void response.end();
    const fault = isLarge(bytes) ? this.fault : { kind: 'none' as const };
    for (let at = start; at < size; at += PIECE_BYTES) {
      if (fault.kind === 'stall' && at >= fault.afterBytes) return void this.#stalled.add(response);
      if (fault.kind === 'truncate' && at - start >= fault.afterBytes) return void response.destroy();
      const piece = bytes.subarray(at, Math.min(size, at + PIECE_BYTES));
      response.write(fault.kind === 'corrupt' ? Buffer.alloc(piece.length, 7) : piece);
      // Lets the client read between two pieces.
      await delay(0);
    }
    response.end();
  }
}

/** First byte of a range to the end of a file. */
function startOf(range: string | undefined): number {
  return Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
}

function isLarge(bytes: Buffer): boolean {
  return bytes.length > LARGE_BYTES;
}

function shaOf({ sha = 'a'.repeat(40) }: HubRepo): string {
  return sha;
}

export function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The version of a small file: its hash in git. */
function gitHash(bytes: Buffer): string {
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}

function refuse(response: ServerResponse, status: number, code?: string): void {
  if (code) response.setHeader('x-error-code', code);
  json(response, status, { error: code ?? 'refused' });
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
