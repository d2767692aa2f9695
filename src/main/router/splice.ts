import type { CompletionRequest } from '../../shared/domain';
import { TandemError } from '../../shared/errors';
import type { Candidate, RouteSnapshot } from './types';

/**
 * Lets another server go on where a stream to a client broke off: it answers from the start, and only what goes
 * beyond the text that the client has already is passed on. An answer that turns out otherwise is not passed at all.
 */
export class Splice {
  #sent = '';
  /** Characters of `#sent` that the present server has said itself. */
  #said = 0;

  /** Another server begins the same answer. */
  again(): void {
    this.#said = 0;
  }

  /** What of a piece of text is new to the client. Throws `backend_failed` where the two answers part. */
  unseen(text: string): string {
    const known = this.#sent.slice(this.#said, this.#said + text.length);
    if (!text.startsWith(known)) throw parted();
    this.#said += text.length;
    const fresh = text.slice(known.length);
    this.#sent += fresh;
    return fresh;
  }

  /** To be called at the end of an answer. Throws `backend_failed` when it is shorter than what the client has. */
  end(): void {
    if (this.#said < this.#sent.length) throw parted();
  }
}

/** Plain text to a client that streams; the chat marks a break instead, and what is taken whole can begin anew. */
export function mayBeSpliced({ origin, whole, tools, format, think }: CompletionRequest): boolean {
  return origin !== 'chat' && !whole && tools === undefined && format === undefined && !think;
}

/**
 * The starter in the other server: the one model of which a test shows that both give the same answers. With any
 * other a long load would nearly always end in an error all the same.
 */
export function twinOf(broken: Candidate, { models }: RouteSnapshot): Candidate | null {
  if (!broken.starter) return null;
  const twin = models.find(({ starter, backend }) => starter && backend !== broken.backend);
  return twin ? { ...broken, backend: twin.backend, model: twin.name } : null;
}

function parted(): TandemError {
  return new TandemError('backend_failed', 'The other server answers otherwise.');
}
