import { TandemError } from '../../../shared/errors';

/** The line with which `hub.py` reports its failure. */
export interface HubProblem {
  problem: string;
  text: string;
  [fact: string]: unknown;
}

/** Converts a failure of `hub.py` into one of our errors. `repo` is the model's name. */
export function hubFailure(line: HubProblem, repo: string): TandemError {
  const details = { model: repo, problem: line.problem };
  switch (line.problem) {
    case 'not_found':
      return new TandemError(
        'model_not_found',
        `There is no model ${repo} on the hub, or it is private. Check the name; a private one needs a token.`,
        { details },
      );
    case 'gated':
      return new TandemError(
        'model_gated',
        `${repo} is given out only with consent. Accept its terms on its page, and enter a token of that account.`,
        { details },
      );
    case 'unauthorized':
      return new TandemError('hub_token_rejected', 'The hub does not accept the token. Enter a valid one.', {
        details,
      });
    case 'disk_full':
      return new TandemError('disk_full', diskWords(line, repo), {
        details: { ...details, neededBytes: figure(line.neededBytes), freeBytes: figure(line.freeBytes) },
      });
    case 'stalled':
      return new TandemError(
        'download_stalled',
        `The hub sent nothing of ${repo} for a minute. Try again; what has arrived is kept.`,
        { details },
      );
    default:
      return new TandemError('pull_failed', pullWords(line, repo), { details });
  }
}

function diskWords({ neededBytes, freeBytes }: HubProblem, repo: string): string {
  const needed = figure(neededBytes);
  const free = figure(freeBytes);
  if (needed === null || free === null) return `The disk is full; free some space, then try ${repo} again.`;
  return `${repo} needs ${gigabytes(needed)} more, and the disk has ${gigabytes(free)}; free some space and try again.`;
}

function pullWords({ problem, text, status }: HubProblem, repo: string): string {
  switch (problem) {
    case 'damaged':
      return `${repo} arrived damaged and was thrown away. Try again; if it stays so, its library is at fault.`;
    case 'network':
      return `The library of ${repo} cannot be reached. Check the network connection, then try again.`;
    case 'certificate':
      return `The hub's certificate is not trusted. Name your company's in SSL_CERT_FILE, then try ${repo} again.`;
    case 'no_permission':
      return `The folder of the hub's cache cannot be written. Check its owner, then try ${repo} again.`;
    case 'refused':
      return `The hub answered with status ${figure(status)} for ${repo}. Try again later.`;
    default:
      return `${repo} could not be fetched: ${text.slice(0, 200)}. Try again.`;
  }
}

function figure(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
