import type { ModelInfo } from '../../shared/domain';

/** Words in names that describe the packaging, not the model. */
const PACKING =
  /^(?:instruct|chat|it|mlx|gguf|latest|\d+bit|bf16|fp16|f16|fp8|q\d(?:_\w+)?|k|m|s|dwq|distill|awq|hf)$/;

/**
 * Same name in Ollama's sense: a missing tag is `latest`, letter case does not matter; nor does the Unicode form of a
 * letter (macOS decomposes the names of files), nor spaces around the name.
 */
export function isSameName(a: string, b: string): boolean {
  return withTag(a) === withTag(b);
}

/** Same name, letter by letter; a missing tag is `latest`. */
export function isExactName(a: string, b: string): boolean {
  return tagged(a) === tagged(b);
}

type Named = Pick<ModelInfo, 'name' | 'aliases'>;

/** Does a model have this name, also as an alias of a second copy? */
export function hasName({ name, aliases }: Named, wanted: string): boolean {
  return isSameName(name, wanted) || (aliases?.some((alias) => isSameName(alias, wanted)) ?? false);
}

/**
 * The models of this name on all servers. Names that differ only in letter case, or in how Unicode writes a letter, may
 * be two models: where one has exactly this name, the others do not count.
 */
export function withName<M extends Named>(models: readonly M[], name: string): M[] {
  const exact = models.filter((model) => model.name === name || model.aliases?.includes(name));
  return exact.length > 0 ? exact : models.filter((model) => hasName(model, name));
}

/** Finds a model by the name that a user or client gave; an absolute path also matches by its last part. */
export function findByName<M extends Named>(models: readonly M[], name: string): M | undefined {
  return (
    withName(models, name)[0] ?? (name.startsWith('/') ? withName(models, lastPart(name))[0] : undefined)
  );
}

/** Are these the same weights on two servers? `org/Qwen2.5-Coder-32B-Instruct-4bit` is `qwen2.5-coder:32b`. */
export function isSameModel(a: string, b: string): boolean {
  const left = identityOf(a);
  return left !== '' && left === identityOf(b);
}

function identityOf(name: string): string {
  const words = lastPart(name)
    .toLowerCase()
    .split(/[:\-\s]+/);
  return words
    .filter((word) => word !== '' && !PACKING.test(word))
    .sort()
    .join('-');
}

function lastPart(name: string): string {
  return name.split('/').filter(Boolean).at(-1) ?? name;
}

function withTag(name: string): string {
  return tagged(name.normalize('NFC').trim().toLowerCase());
}

function tagged(name: string): string {
  return lastPart(name).includes(':') ? name : `${name}:latest`;
}
