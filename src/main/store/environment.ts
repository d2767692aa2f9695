import { z } from 'zod';
import type { Warning } from '../../shared/contract';
import { SETTING_KEYS, SETTINGS, type SettingKey, type Settings } from '../../shared/settings';
import type { Details } from '../../shared/status';
import { variableInvalid } from '../ports/variable-invalid';
import { readSetting } from './read-setting';

/** Settings from the environment, and a warning for each variable that does not parse. */
export interface EnvironmentSettings {
  values: Partial<Settings>;
  /** Settings whose variable is set but unusable. */
  unusable: SettingKey[];
  warnings: Warning[];
}

interface ValueShape {
  type?: string;
  enum?: string[];
  format?: string;
  minimum?: number;
  exclusiveMinimum?: number;
  maximum?: number;
  maxLength?: number;
  anyOf?: ValueShape[];
  items?: ValueShape;
  required?: string[];
  properties?: Record<string, ValueShape>;
  additionalProperties?: ValueShape;
}

/**
 * Reads the settings that have a variable. An empty variable counts as unset. One that does not parse becomes a warning
 * with what is accepted, and the file's value or the default applies. Of a list only the invalid entries are dropped.
 */
export function parseEnvironment(env: Readonly<Record<string, string | undefined>>): EnvironmentSettings {
  const values: Partial<Record<SettingKey, unknown>> = {};
  const unusable: SettingKey[] = [];
  const warnings: Warning[] = [];
  for (const key of SETTING_KEYS) {
    const name = SETTINGS[key].env;
    const text = name === null ? '' : (env[name] ?? '').trim();
    if (name === null || text === '') continue;
    const shape = shapeOf(key);
    const accepted = { words: describe(shape), details: acceptedOf(shape) };
    const read = readSetting(key, readText(shape, text));
    if (read) values[key] = read.value;
    else unusable.push(key);
    if (!read) warnings.push(variableInvalid(name, accepted));
    for (const entry of read?.dropped ?? []) warnings.push(variableInvalid(name, accepted, entry));
  }
  return { values: values as Partial<Settings>, unusable, warnings };
}

/** The values that a setting accepts, in words, for warnings and errors. */
export function acceptedValues(key: SettingKey): string {
  return describe(shapeOf(key));
}

/** The same as data, for a sentence in the UI's language. */
export function acceptedDetails(key: SettingKey): Details {
  return acceptedOf(shapeOf(key));
}

function shapeOf(key: SettingKey): ValueShape {
  const shape = z.toJSONSchema(SETTINGS[key].schema, { unrepresentable: 'any' }) as ValueShape;
  return shape.anyOf?.find((part) => part.type !== 'null') ?? shape;
}

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ...['true', '1', 'yes', 'on'].map((word) => [word, true] as const),
  ...['false', '0', 'no', 'off'].map((word) => [word, false] as const),
]);

/** Parses the text as the shape's type; unreadable text becomes undefined, which no schema accepts. */
function readText(shape: ValueShape, text: string): unknown {
  switch (shape.type) {
    case 'boolean':
      return BOOLEANS.get(text.toLowerCase());
    case 'integer':
    case 'number':
      return /^[+-]?\d+(\.\d+)?$/.test(text) ? Number(text) : undefined;
    case 'object':
      return readTable(text);
    default:
      return text;
  }
}

/** A JSON object. An estimate may be a list in the order load, per 1k tokens, margin: `{"name": [60, 40, 60]}`. */
function readTable(text: string): unknown {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return undefined;
  return Object.fromEntries(
    Object.entries(json).map(([model, value]) => {
      if (!Array.isArray(value) || value.length !== 3) return [model, value];
      const [load, per1k, margin] = value;
      return [model, { load, per1k, margin }];
    }),
  );
}

/** A table of numbers by model: lengths of context in tokens. */
const NUMBERS = '{"<backend>/<model>": 32768}';

/** `accepted` is the kind: `list` with its `example`, `whole` or `number` with bounds, `text` with `max`, and so on. */
function acceptedOf(shape: ValueShape): Details {
  if (shape.enum) return { accepted: 'list', example: shape.enum.join(', ') };
  switch (shape.type) {
    case 'boolean':
      return { accepted: 'list', example: 'true, false, 1, 0, yes, no, on, off' };
    case 'integer':
    case 'number': {
      const low = shape.exclusiveMinimum ?? shape.minimum ?? null;
      const high = isBounded(shape) ? (shape.maximum ?? null) : null;
      return { accepted: shape.type === 'integer' ? 'whole' : 'number', low, high };
    }
    case 'object':
      return isOfNumbers(shape) ? { accepted: 'list', example: NUMBERS } : { accepted: 'estimates' };
    case 'array':
      return { accepted: 'list', example: describe(shape) };
    default:
      return shape.format === 'uri'
        ? { accepted: 'url' }
        : { accepted: 'text', max: shape.maxLength ?? null };
  }
}

function isOfNumbers({ additionalProperties }: ValueShape): boolean {
  return additionalProperties?.type === 'integer';
}

function isBounded({ maximum }: ValueShape): boolean {
  return maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER;
}

function describe(shape: ValueShape): string {
  if (shape.enum) return shape.enum.join(', ');
  switch (shape.type) {
    case 'boolean':
      return 'true, false, 1, 0, yes, no, on or off';
    case 'integer':
    case 'number':
      return describeNumber(shape);
    case 'object':
      if (isOfNumbers(shape)) return `JSON such as ${NUMBERS}`;
      return 'JSON such as {"model": {"load": 60, "per1k": 40, "margin": 60}} or {"model": [60, 40, 60]}, in seconds';
    case 'array':
      return shape.items?.required ? `rows with ${describeFields(shape.items)}` : 'a list';
    default:
      return shape.format === 'uri'
        ? 'a http:// or https:// address'
        : `text of at most ${shape.maxLength} characters`;
  }
}

/** The required fields of a row, with the values of those that have a list of values. */
function describeFields({ required = [], properties = {} }: ValueShape): string {
  return required
    .map((name) => {
      const values = properties[name]?.enum;
      return values ? `${name} (${values.join(' or ')})` : name;
    })
    .join(', ');
}

function describeNumber(shape: ValueShape): string {
  const kind = shape.type === 'integer' ? 'a whole number' : 'a number';
  const low =
    shape.exclusiveMinimum === undefined ? `from ${shape.minimum}` : `above ${shape.exclusiveMinimum}`;
  return isBounded(shape) ? `${kind} ${low} to ${shape.maximum}` : `${kind} ${low}`;
}
