/** The parts of a Modelfile that `/api/create` needs. */
export interface ModelfileParts {
  template: string | null;
  system: string | null;
  parameters: Record<string, string | number | boolean | (string | number | boolean)[]>;
}

/** Reads TEMPLATE, SYSTEM and PARAMETER from a Modelfile; a repeated parameter becomes a list. */
export function parseModelfile(text: string): ModelfileParts {
  const parts: ModelfileParts = { template: null, system: null, parameters: Object.create(null) };
  const command = /^(TEMPLATE|SYSTEM|PARAMETER)[ \t]+(?:"""([\s\S]*?)"""|(.*))$/gim;
  for (const [, word, block, line] of text.matchAll(command)) {
    const value = block ?? unquote(line?.trim() ?? '');
    if (word?.toUpperCase() === 'TEMPLATE') parts.template = value;
    else if (word?.toUpperCase() === 'SYSTEM') parts.system = value;
    else addParameter(parts.parameters, value);
  }
  return parts;
}

function addParameter(parameters: ModelfileParts['parameters'], line: string): void {
  const [, name, text] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
  if (name === undefined || text === undefined) return;
  const value = scalar(unquote(text));
  const before = parameters[name];
  // Stop words are always a list, even a single one.
  if (before === undefined) parameters[name] = name === 'stop' ? [value] : value;
  else parameters[name] = [...(Array.isArray(before) ? before : [before]), value];
}

function scalar(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  return text !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
}

function unquote(text: string): string {
  return /^"(.*)"$/s.exec(text)?.[1] ?? text;
}
