import type {
  Definition,
  Emphasis,
  FootnoteDefinition,
  Nodes,
  Parents,
  Root,
  Strong,
  Table,
  Text,
} from 'mdast';
import { findAndReplace } from 'mdast-util-find-and-replace';
import type { Processor } from 'unified';
import { SKIP, visit } from 'unist-util-visit';
import { formulaKind } from './math-marks';

export interface FaithfulOptions {
  /** Length of the block's own text; the text parsed after it contains definitions from other blocks. */
  length: number;
  /** Referenced labels, one per line. */
  used: string;
}

const WORD_BEFORE = /[\w)\]]$/;
const WORD_AFTER = /^[\w([]/;

/**
 * A remark plug-in: a model's text is data, and Markdown would drop some of it. This keeps tags as text, line breaks,
 * definitions without a reference, surplus cells of a table and the signs in `2*3*4`.
 */
export function faithful(this: Processor, { length, used }: FaithfulOptions) {
  const data = this.data() as { micromarkExtensions?: object[] };
  data.micromarkExtensions ??= [];
  data.micromarkExtensions.push({ disable: { null: ['htmlFlow', 'htmlText'] } });
  const labels = new Set(used.split('\n'));
  return (tree: Root, file: { value: unknown }) => {
    const source = String(file.value);
    const isForeign = (node: Nodes) => offset(node) >= length;
    tree.children = tree.children.filter((node) => node.type === 'definition' || !isForeign(node));
    visit(tree, (node, index, parent) => {
      const replacement = isForeign(node) ? null : replace(node, source, labels);
      if (replacement === null || parent === undefined || index === undefined) return;
      (parent as Parents).children.splice(index, 1, ...(replacement as never[]));
      return [SKIP, index];
    });
    findAndReplace(tree, [/\r?\n/g, () => ({ type: 'break' })]);
  };
}

/** The replacement of a node; null keeps the node, possibly modified. */
function replace(node: Nodes, source: string, labels: ReadonlySet<string>): Nodes[] | null {
  switch (node.type) {
    case 'definition':
      return labels.has(node.identifier) ? null : [asText(node, source)];
    case 'footnoteDefinition':
      return [note(node)];
    case 'footnoteReference':
      return [
        element('sup', { dataLabel: node.identifier }, [
          { type: 'text', value: node.label ?? node.identifier },
        ]),
      ];
    case 'inlineMath': {
      const dollars = /^\$*/.exec(source.slice(offset(node)))?.[0].length ?? 0;
      node.data = { ...node.data, hProperties: { className: ['math', formulaKind(dollars)] } };
      return null;
    }
    case 'link':
      // An address inside a tag written as text ends before the tag does, so this match is not an address.
      return /["<>]/.test(node.url) ? node.children : null;
    case 'emphasis':
    case 'strong':
      return isProduct(node, source) ? withMarks(node, source) : null;
    case 'table':
      keepCells(node);
      return null;
    case 'tableCell':
      findAndReplace(node, [/<br\s*\/?>/gi, () => ({ type: 'break' })]);
      return null;
    default:
      return null;
  }
}

function offset(node: Nodes): number {
  return node.position?.start.offset ?? 0;
}

/** A node of a type that Markdown does not have; remark-rehype renders it as this element. */
function element(tag: string, properties: Record<string, string>, children: Nodes[]): Nodes {
  return { type: tag, data: { hName: tag, hProperties: properties }, children } as unknown as Nodes;
}

function note({ identifier, label, children }: FootnoteDefinition): Nodes {
  return element('aside', { dataLabel: identifier, title: label ?? identifier }, children);
}

function asText(node: Definition, source: string): Nodes {
  const value = source.slice(offset(node), node.position?.end.offset);
  return { type: 'paragraph', children: [{ type: 'text', value }] };
}

/** `a*b*c` and `2**3**4`: signs between words are operators, not emphasis. */
function isProduct(node: Emphasis | Strong, source: string): boolean {
  const end = node.position?.end.offset ?? 0;
  const start = offset(node);
  if (source[start] !== '*') return false;
  return (
    WORD_BEFORE.test(source.slice(Math.max(0, start - 1), start)) &&
    WORD_AFTER.test(source.slice(end, end + 1))
  );
}

function withMarks(node: Emphasis | Strong, source: string): Nodes[] {
  const start = offset(node);
  const mark: Text = { type: 'text', value: source.slice(start, start + (node.type === 'strong' ? 2 : 1)) };
  return [mark, ...node.children, { ...mark }];
}

/** Keeps all cells of a row that has more cells than the head. */
function keepCells(table: Table): void {
  const widest = Math.max(...table.children.map((row) => row.children.length));
  const align = table.align ?? [];
  table.align = [...align, ...Array.from({ length: Math.max(0, widest - align.length) }, () => null)];
}
