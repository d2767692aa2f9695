import { memo, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { CopyButton } from '../copy-button';

/** Lines drawn as one piece: a long listing that grows re-renders only its last piece. */
const PIECE_LINES = 40;

function pieces(text: string): string[] {
  const lines = text.split('\n');
  const result: string[] = [];
  for (let start = 0; start < lines.length; start += PIECE_LINES) {
    result.push(lines.slice(start, start + PIECE_LINES).join('\n'));
  }
  return result;
}

const Piece = memo(function Piece({ text }: { text: string }) {
  return <span className="block min-h-[1.55em]">{text}</span>;
});

/** A listing with its language and a copy button. Long lines scroll inside it. */
export function CodeBlock({ language, text }: { language: string; text: string }) {
  const { t } = useTranslation();
  const parts = useMemo(() => pieces(text), [text]);
  return (
    <figure className="code overflow-hidden rounded-[10px] border border-line bg-card">
      <figcaption className="flex h-8 items-center justify-between border-line border-b bg-side pr-1 pl-3 text-ink-2 text-mini">
        <span>{language === '' ? t('chat.code') : language.toLowerCase()}</span>
        <CopyButton text={() => text} label={t('chat.copyCode')} />
      </figcaption>
      <pre
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
        tabIndex={0}
        className="overflow-x-auto px-3 py-2.5 font-mono text-[12px] leading-[1.55] -outline-offset-2"
      >
        <code>
          {parts.map((part, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: pieces only ever grow at the end
            <Piece key={index} text={part} />
          ))}
        </code>
      </pre>
    </figure>
  );
}
