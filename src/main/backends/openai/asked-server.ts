import type { CompletionChunk } from '../../../shared/completion';
import type { ModelInfo } from '../../../shared/domain';
import { isDownCode, isTandemError } from '../../../shared/errors';
import type { BackendRequest } from '../backend';

/** A server in one dialect. */
export interface DialectApi {
  /** Rejects if the server does not answer in this dialect. */
  version(signal: AbortSignal): Promise<string>;
  models(signal: AbortSignal): Promise<ModelInfo[]>;
  answer(request: BackendRequest, signal: AbortSignal): AsyncIterable<CompletionChunk>;
}

/** A server whose dialect is found out by asking: each check begins with the dialect of the last answer. */
export class AskedServer implements DialectApi {
  readonly url: string;
  readonly tandemInstance: (signal: AbortSignal) => Promise<string | null>;
  #dialects: readonly [DialectApi, ...DialectApi[]];

  /** @param dialects in the order of asking */
  constructor(
    url: string,
    dialects: readonly [DialectApi, ...DialectApi[]],
    tandemInstance: (signal: AbortSignal) => Promise<string | null>,
  ) {
    this.url = url;
    this.#dialects = dialects;
    this.tandemInstance = tandemInstance;
  }

  async version(signal: AbortSignal): Promise<string> {
    let failure: unknown = null;
    for (const dialect of this.#dialects) {
      try {
        const version = await dialect.version(signal);
        this.#dialects = [dialect, ...this.#dialects.filter((other) => other !== dialect)];
        return version;
      } catch (error) {
        failure = error;
        // It answers nobody: another dialect would not help.
        if (isTandemError(error) && (isDownCode(error.code) || error.code === 'cancelled')) throw error;
      }
    }
    throw failure;
  }

  models(signal: AbortSignal): Promise<ModelInfo[]> {
    return this.#dialects[0].models(signal);
  }

  answer(request: BackendRequest, signal: AbortSignal): AsyncIterable<CompletionChunk> {
    return this.#dialects[0].answer(request, signal);
  }
}
