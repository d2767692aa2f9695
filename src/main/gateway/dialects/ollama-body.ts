import { z } from 'zod';
import type { Extra } from '../../../shared/completion';
import { TandemError } from '../../../shared/errors';

/** A list of anything. Its items are not validated, as there may be many. */
const anyList = z.unknown().transform((value, context): unknown[] => {
  if (Array.isArray(value)) return value;
  return wrongly(context, z.array(z.unknown()), value);
});

/** A list of strings; validation stops at the first item that is not one. */
const textList = anyList.transform((values, context): string[] => {
  const wrong = values.findIndex((value) => typeof value !== 'string');
  return wrong === -1 ? (values as string[]) : wrongly(context, z.string(), values[wrong], [wrong]);
});

/** Reports the first issue that `schema` finds in a value. */
function wrongly(
  context: z.RefinementCtx,
  schema: z.ZodType,
  value: unknown,
  path: PropertyKey[] = [],
): never {
  context.addIssue({ code: 'custom', message: schema.safeParse(value).error?.issues[0]?.message, path });
  return z.NEVER;
}

/** An object with any fields. They are not validated, as there may be many. */
const anyObject = z.custom<Record<string, unknown>>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
);

/** The calls are validated one by one. */
export const messageBody = z.object({
  role: z.enum(['system', 'user', 'assistant', 'tool']),
  content: z.string().nullish(),
  thinking: z.string().nullish(),
  images: textList.nullish(),
  tool_calls: anyList.nullish(),
  tool_name: z.string().nullish(),
  tool_call_id: z.string().nullish(),
});

export const callBody = z.object({
  id: z.string().nullish(),
  function: z.object({ name: z.string(), arguments: anyObject.nullish() }),
});

export const toolBody = z.object({
  function: z.object({
    name: z.string(),
    description: z.string().nullish(),
    parameters: anyObject.nullish(),
  }),
});

/** Other options of a server are not validated either. */
export const optionsBody = z.object({
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  top_k: z.number().nullish(),
  min_p: z.number().nullish(),
  seed: z.number().nullish(),
  repeat_penalty: z.number().nullish(),
  num_predict: z.number().nullish(),
  num_ctx: z.number().nullish(),
  stop: z.union([z.string(), textList]).nullish(),
});

export const commonBody = z.object({
  model: z.string().nullish(),
  stream: z.boolean().nullish(),
  format: z.union([z.literal(['', 'json']), anyObject]).nullish(),
  think: z.union([z.boolean(), z.enum(['low', 'medium', 'high', 'max'])]).nullish(),
  keep_alive: z.union([z.number(), z.string()]).nullish(),
  truncate: z.boolean().nullish(),
  /** Not sent on: a server loads the model again for another value. */
  shift: z.unknown().optional(),
  options: optionsBody.nullish(),
  category: z.string().nullish(),
  logprobs: z.boolean().nullish(),
});

/** The messages are validated one by one, before the tools. */
export const chatBody = commonBody.extend({ messages: anyList.nullish() });
export const toolsBody = z.object({ tools: anyList.nullish() });

export const generateBody = commonBody.extend({
  prompt: z.string().nullish(),
  system: z.string().nullish(),
  suffix: z.string().nullish(),
  template: z.string().nullish(),
  context: anyList.nullish(),
  raw: z.boolean().nullish(),
  images: textList.nullish(),
});
/** A prompt is sent as a chat, so no field of one body may reach the server as a field of the other. */
export const BODY_FIELDS = fieldsOf(chatBody, toolsBody, generateBody);

/** Names of the fields that the schemas of one object read. */
export function fieldsOf(...schemas: z.ZodObject[]): ReadonlySet<string> {
  return new Set(schemas.flatMap(({ shape }) => Object.keys(shape)));
}

/** Path of a value in a body. */
export type Path = readonly PropertyKey[];

/** Ollama's own objects have at most forty fields; copying any number would take long. */
const MAX_UNKNOWN = 1_000;

/**
 * The fields of an object that the neutral form lacks; undefined = none. The server ignores the case of names, and
 * would read a known field in another case after we have checked it, so that one is left out.
 * @throws TandemError `bad_request` for over `MAX_UNKNOWN` of them
 */
export function unknownFields(value: object, known: ReadonlySet<string>, at: Path): Extra | undefined {
  const fields: [string, unknown][] = [];
  for (const name of Object.keys(value)) {
    if (known.has(name) || known.has(asServerReads(name))) continue;
    const field = (value as Extra)[name];
    if (field !== null) fields.push([name, field]);
    if (fields.length > MAX_UNKNOWN) throw tooManyFields(at);
  }
  return fields.length === 0 ? undefined : Object.fromEntries(fields);
}

function tooManyFields(at: Path): TandemError {
  const most = MAX_UNKNOWN.toLocaleString('en');
  return new TandemError('bad_request', `${pathOf(at)}: over ${most} fields; send fewer`);
}

/** Go's case folding: two letters outside ASCII equal `s` and `k`. */
function asServerReads(name: string): string {
  return name.toUpperCase().toLowerCase();
}

/**
 * Validates a body, or a value in it.
 * @param at path of the value in the body
 * @throws TandemError `bad_json` without a body, `bad_request` with the first issue
 */
export function parse<T>(schema: z.ZodType<T>, value: unknown, at: Path = []): T {
  if (at.length === 0 && (value === undefined || value === null))
    throw new TandemError('bad_json', 'missing request body');
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = pathOf([...at, ...(issue?.path ?? [])]);
  throw new TandemError('bad_request', `${field}: ${issue?.message ?? 'invalid input'}`);
}

function pathOf(at: Path): string {
  return at.map(String).join('.') || 'the request body';
}
