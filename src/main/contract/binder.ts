import { type Caller, type CallName, contract, type Envelope, type Handlers } from '../../shared/contract';
import { TandemError, toTandemError } from '../../shared/errors';
import type { Logger } from '../ports/logger';

export interface BinderOptions {
  logger: Logger;
  /** Also checks the handlers' output against the contract (tests, development). */
  checkOutput?: boolean;
}

/** Is this one of the contract's calls? Names come from outside, so inherited keys must not match. */
export function isCallName(name: string): name is CallName {
  return Object.hasOwn(contract.calls, name);
}

/**
 * Runs one contract call; the host has already checked the caller. Never rejects: an unknown name (`not_found`), input
 * that violates the schema (`bad_request`) and any error of the handler are returned as a failure envelope.
 */
export async function callHandler(
  handlers: Handlers,
  name: string,
  input: unknown,
  caller: Caller,
  options: BinderOptions,
): Promise<Envelope<unknown>> {
  try {
    if (!isCallName(name)) {
      throw new TandemError('not_found', 'There is no such call. Reload the page to match this version.');
    }
    return { ok: true, value: await invoke(handlers, name, input, caller, options.checkOutput ?? false) };
  } catch (thrown) {
    const error = toTandemError(thrown);
    if (error.code === 'internal') {
      options.logger.error('call failed', {
        call: isCallName(name) ? name : 'unknown',
        trace: traceOf(thrown),
      });
    }
    return failure(error);
  }
}

export function failure(error: TandemError): Envelope<never> {
  return { ok: false, error: { code: error.code, message: error.message, details: error.details } };
}

async function invoke(
  handlers: Handlers,
  name: CallName,
  input: unknown,
  caller: Caller,
  checkOutput: boolean,
): Promise<unknown> {
  const schema = contract.calls[name];
  const parsed = schema.input.safeParse(input);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const where = issue && issue.path.length > 0 ? `${issue.path.join('.')}: ` : '';
    throw new TandemError('bad_request', `${name}: ${where}${issue?.message ?? 'invalid input'}.`);
  }
  // One table contains handlers with different inputs; the schema above belongs to this name.
  const handler = handlers[name] as (input: unknown, caller: Caller) => Promise<unknown>;
  const output = await handler(parsed.data, caller);
  return checkOutput ? schema.output.parse(output) : output;
}

/** Name and stack frames of an error, without its message, which may quote the user's text. */
export function traceOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return typeof thrown;
  const frames = (thrown.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return [thrown.name, ...frames.slice(0, 6).map((line) => line.trim())].join(' < ');
}
