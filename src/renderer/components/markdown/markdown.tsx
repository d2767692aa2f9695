import { memo, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import ReactMarkdown, { type Components } from 'react-markdown';
import remarkGfm from 'remark-gfm';
import { ExternalLink } from '../external-link';
import { type Block, splitBlocks } from './blocks';
import { CodeBlock } from './code-block';
import { mendTail } from './mend-tail';

const PLUGINS = [remarkGfm];

/** Raw HTML is never drawn, and no picture is fetched: what a model writes must not call out. */
const COMPONENTS: Components = {
  a: ({ href, children }) => <ExternalLink href={href ?? ''}>{children}</ExternalLink>,
  img: ({ alt }) => <ImageName alt={alt ?? ''} />,
  pre: ({ children }) => <>{children}</>,
  code: ({ className, children }) => {
    const text = String(children);
    const language = /language-(\S+)/.exec(className ?? '')?.[1];
    if (language === undefined && !text.includes('\n')) return <code>{children}</code>;
    return <CodeBlock language={language ?? ''} text={text.replace(/\n$/, '')} />;
  },
  table: ({ children }) => (
    <div className="table">
      <table>{children}</table>
    </div>
  ),
};

function ImageName({ alt }: { alt: string }) {
  const { t } = useTranslation();
  return <span className="text-ink-2">{t('chat.image', { alt })}</span>;
}

interface MarkdownBlockProps {
  block: Block;
  /** More text of this block is still to come. */
  open: boolean;
}

const MarkdownBlock = memo(
  function MarkdownBlock({ block, open }: MarkdownBlockProps) {
    return (
      <div className="block">
        {block.kind === 'code' ? (
          <CodeBlock language={block.language} text={block.text} />
        ) : (
          <ReactMarkdown remarkPlugins={PLUGINS} components={COMPONENTS} skipHtml>
            {open ? mendTail(block.text) : block.text}
          </ReactMarkdown>
        )}
      </div>
    );
  },
  (before, after) =>
    before.open === after.open &&
    before.block.kind === after.block.kind &&
    before.block.text === after.block.text,
);

/** An answer's text. While it grows only its last block is parsed and drawn anew. */
export const Markdown = memo(function Markdown({ text, writing }: { text: string; writing: boolean }) {
  const blocks = useMemo(() => splitBlocks(text), [text]);
  return (
    <div className="prose">
      {blocks.map((block, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: blocks only ever grow at the end
        <MarkdownBlock key={index} block={block} open={writing && index === blocks.length - 1} />
      ))}
    </div>
  );
});
