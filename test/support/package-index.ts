import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The fault while the file is sent. */
export type IndexFault =
  | { kind: 'none' }
  /** Sends this many bytes of the file on each connection, then waits until the client disconnects. */
  | { kind: 'stall'; afterBytes: number }
  /** Sends this many bytes of the file on each connection, then closes it. */
  | { kind: 'cut'; afterBytes: number }
  /** Sends bytes that do not match the hash. */
  | { kind: 'corrupt' }
  /** Sends more bytes than pinned, without a content length. */
  | { kind: 'longer' }
  /** Does not support ranges: each connection gets the whole file. */
  | { kind: 'no-range' };

/** A Python package index on loopback that serves one file. */
export class PackageIndex {
  fault: IndexFault = { kind: 'none' };
  /** The `Range` header of each download, '' for none. */
  readonly ranges: string[] = [];
  readonly pin: { package: string; file: string; bytes: number; sha256: string };
  readonly #content: Buffer;
  readonly #server = createServer((request, response) => this.#serve(request, response));

  constructor(content: Buffer, name = 'a-model', file = 'a_model-1.0-py3-none-any.whl') {
    this.#content = content;
    const sha256 = createHash('sha256').update(content).digest('hex');
    this.pin = { package: name, file, bytes: content.length, sha256 };
  }

  async listen(): Promise<void> {
    await new Promise<void>((settle) => this.#server.listen(0, '127.0.0.1', settle));
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((settle) => this.#server.close(settle));
  }

  /** The environment that makes pip use only this index. */
  env(): NodeJS.ProcessEnv {
    const { PIP_FIND_LINKS, PIP_EXTRA_INDEX_URL, ...rest } = process.env;
    const url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/simple`;
    return {
      ...rest,
      PIP_INDEX_URL: url,
      PIP_CONFIG_FILE: '/dev/null',
      NO_PROXY: '127.0.0.1',
      no_proxy: '127.0.0.1',
    };
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const { file } = this.pin;
    if (request.url === `/simple/${this.pin.package}/`) {
      response.setHeader('content-type', 'application/vnd.pypi.simple.v1+json');
      const files = [{ filename: file, url: `../../files/${file}`, hashes: {} }];
      response.end(JSON.stringify({ meta: { 'api-version': '1.0' }, name: this.pin.package, files }));
    } else if (request.url === `/files/${file}`) {
      this.ranges.push(request.headers.range ?? '');
      this.#send(request.headers.range, response);
    } else response.writeHead(404).end();
  }

  #send(range: string | undefined, response: ServerResponse): void {
    const { fault } = this;
    const from = fault.kind === 'no-range' ? 0 : Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
    const whole = fault.kind === 'corrupt' ? Buffer.alloc(this.#content.length, 1) : this.#content;
    const body = fault.kind === 'longer' ? Buffer.concat([whole, Buffer.alloc(1)]) : whole.subarray(from);
    if (from > 0) response.setHeader('content-range', `bytes ${from}-${whole.length - 1}/${whole.length}`);
    if (fault.kind !== 'longer') response.setHeader('content-length', body.length);
    response.writeHead(from > 0 ? 206 : 200);
    if (fault.kind !== 'stall' && fault.kind !== 'cut') return void response.end(body);
    response.write(body.subarray(0, fault.afterBytes), () => {
      if (fault.kind === 'cut') response.destroy();
    });
  }
}
