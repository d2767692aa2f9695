import { createContext, useContext } from 'react';
import { useTranslation } from 'react-i18next';
import type { Components } from 'react-markdown';
import { ExternalLink } from '../external-link';
import { CodeBlock } from './code-block';
import { Formula } from './formula';
import type { FormulaKind } from './math-marks';

/** Makes the ids of footnotes unique per answer. */
export const NoteScope = createContext('');

/** The components that render the parts of an answer. */
export const COMPONENTS: Components = {
  a: ({ href, children }) => (
    <ExternalLink href={href ?? ''}>
      {children}
      <LostAddress href={href ?? ''} shown={children} />
    </ExternalLink>
  ),
  img: ({ alt, src }) => <ImageName alt={alt || String(src ?? '')} />,
  pre: ({ children }) => <>{children}</>,
  code: ({ className, children }) => {
    const text = String(children ?? '');
    const formula = /^math (\w+)/.exec(className ?? '')?.[1];
    if (formula !== undefined) return <Formula tex={text} kind={formula as FormulaKind} />;
    const language = /language-(\S+)/.exec(className ?? '')?.[1];
    if (language === undefined && !text.includes('\n')) return <code>{children}</code>;
    return <CodeBlock language={language ?? ''} text={text.replace(/\n$/, '')} />;
  },
  ol: ({ start, node, children }) => {
    const items = node?.children.filter((child) => child.type === 'element').length ?? 0;
    const digits = String((start ?? 1) + items - 1).length;
    return (
      <ol start={start} style={{ '--digits': Math.max(2, digits) } as React.CSSProperties}>
        {children}
      </ol>
    );
  },
  table: ({ children }) => (
    <div className="table">
      <table>{children}</table>
    </div>
  ),
  sup: ({ node, children }) => (
    <NoteMark label={String(node?.properties.dataLabel ?? '')}>{children}</NoteMark>
  ),
  aside: ({ node, title, children }) => (
    <NoteText label={String(node?.properties.dataLabel ?? '')} name={title ?? ''}>
      {children}
    </NoteText>
  ),
};

/** Only web addresses are links; any other address is shown after its text, since it cannot be clicked. */
function LostAddress({ href, shown }: { href: string; shown: React.ReactNode }) {
  if (href === '' || /^https?:/i.test(href) || href.endsWith(String(shown))) return null;
  return <span className="text-ink-3"> ({href})</span>;
}

function ImageName({ alt }: { alt: string }) {
  const { t } = useTranslation();
  return <span className="text-ink-2">{t('chat.image', { alt })}</span>;
}

function NoteMark({ label, children }: { label: string; children: React.ReactNode }) {
  const { t } = useTranslation();
  const scope = useContext(NoteScope);
  return (
    <sup>
      <button
        type="button"
        aria-label={t('chat.note', { label })}
        onClick={() => {
          const note = document.getElementById(`${scope}-${label}`);
          note?.scrollIntoView({ block: 'nearest' });
          note?.focus({ preventScroll: true });
        }}
        className="px-0.5 text-accent-text leading-none hover:underline"
      >
        {children}
      </button>
    </sup>
  );
}

function NoteText({ label, name, children }: { label: string; name: string; children: React.ReactNode }) {
  const scope = useContext(NoteScope);
  return (
    <aside id={`${scope}-${label}`} tabIndex={-1} className="footnote">
      <span className="text-mini">{name}</span>
      <div className="min-w-0">{children}</div>
    </aside>
  );
}
