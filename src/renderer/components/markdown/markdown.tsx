import { memo, useId, useMemo } from 'react';
import ReactMarkdown, { type Options } from 'react-markdown';
import remarkGfm from 'remark-gfm';
import remarkMath from 'remark-math';
import { type Block, splitBlocks } from './blocks';
import { CodeBlock } from './code-block';
import { COMPONENTS, NoteScope } from './elements';
import { faithful } from './faithful';
import { mathMarks } from './math-marks';
import { mendTail } from './mend-tail';
import { findReferences, type References } from './references';

interface MarkdownBlockProps {
  block: Block;
  references: References;
  /** More text of this block will arrive. */
  open: boolean;
}

const MarkdownBlock = memo(
  function MarkdownBlock({ block, references, open }: MarkdownBlockProps) {
    return (
      <div className="block" dir="auto">
        {block.kind === 'code' ? (
          <CodeBlock language={block.language} text={block.text} />
        ) : (
          <MarkdownText text={block.text} references={references} open={open} />
        )}
      </div>
    );
  },
  (before, after) =>
    before.open === after.open &&
    before.block.kind === after.block.kind &&
    before.block.text === after.block.text &&
    before.references.definitions === after.references.definitions &&
    before.references.used === after.references.used,
);

/** Raw HTML is text, and no image is loaded: a model's text must not cause network requests. */
function MarkdownText({ text, references, open }: { text: string } & Omit<MarkdownBlockProps, 'block'>) {
  const math = mathMarks(text, open);
  const own = open ? math.text.slice(0, math.tail) + mendTail(math.text.slice(math.tail)) : math.text;
  const plugins: Options['remarkPlugins'] = [
    [remarkGfm, { singleTilde: false }],
    [remarkMath, { singleDollarTextMath: false }],
    [faithful, { length: own.length, used: references.used }],
  ];
  return (
    <ReactMarkdown remarkPlugins={plugins} components={COMPONENTS} urlTransform={(url) => url}>
      {references.definitions === '' ? own : `${own}\n\n${references.definitions}`}
    </ReactMarkdown>
  );
}

/** An answer's text. While it grows, only its last block is parsed and rendered again. */
export const Markdown = memo(function Markdown({ text, writing }: { text: string; writing: boolean }) {
  const scope = useId();
  const blocks = useMemo(() => splitBlocks(text), [text]);
  const references = useMemo(() => findReferences(blocks), [blocks]);
  return (
    <NoteScope value={scope}>
      <div className="prose">
        {blocks.map((block, index) => (
          <MarkdownBlock
            // biome-ignore lint/suspicious/noArrayIndexKey: blocks only ever grow at the end
            key={index}
            block={block}
            references={references[index] ?? { definitions: '', used: '' }}
            open={writing && index === blocks.length - 1}
          />
        ))}
      </div>
    </NoteScope>
  );
});
