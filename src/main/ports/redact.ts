/** Names of fields with secret text. */
const SECRET_NAME = /(token|secret|password|passphrase|authorization|cookie|api[-_]?key|ticket)$/i;
/** Names of fields with text that people write; the log never contains it. */
const MESSAGE_NAME = /^(text|prompt|content|messages?|title|preview|query|input|output|body)$/i;

const SECRET_TEXT: readonly [RegExp, string][] = [
  [/([?&#](?:token|key|ticket)=)[^&\s"'#]+/gi, '$1[redacted]'],
  [/\b(Bearer|Basic)\s+[\w.~+/=-]+/gi, '$1 [redacted]'],
  [/\b(sk|hf|gh[pousr])[-_][\w-]{16,}/g, '[redacted]'],
  [/(:\/\/)[^\s/]+@/g, '$1[redacted]@'],
];

const MAX_DEPTH = 4;

/** The fields of a log line without secrets and without message text. Errors become name, code and message. */
export function redact(fields: Record<string, unknown>): Record<string, unknown> {
  return redactObject(fields, 0);
}

function redactObject(fields: object, depth: number): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => {
      if (SECRET_NAME.test(name) && value !== null && value !== undefined) return [name, '[redacted]'];
      if (MESSAGE_NAME.test(name) && typeof value !== 'number') return [name, '[omitted]'];
      return [name, redactValue(value, depth + 1)];
    }),
  );
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return describeError(value, depth);
  if (depth >= MAX_DEPTH) return '[deep]';
  return Array.isArray(value)
    ? value.map((item) => redactValue(item, depth + 1))
    : redactObject(value, depth);
}

function redactText(text: string): string {
  return SECRET_TEXT.reduce((clean, [pattern, replacement]) => clean.replace(pattern, replacement), text);
}

/** A SyntaxError quotes the text that it could not parse, which may be a user's message, so its message is dropped. */
function describeError(error: Error, depth: number): Record<string, unknown> {
  const message = error instanceof SyntaxError ? 'not valid' : redactText(error.message);
  const frames = error.stack?.split('\n').filter((line) => /^\s+at /.test(line)) ?? [];
  return {
    name: error.name,
    ...('code' in error ? { code: error.code } : {}),
    reason: message,
    ...(frames.length > 0 ? { at: frames.slice(0, 5).map((line) => line.trim()) } : {}),
    ...(error.cause !== undefined && depth < MAX_DEPTH ? { cause: redactValue(error.cause, depth + 1) } : {}),
  };
}
