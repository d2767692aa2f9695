import { WrapText } from 'lucide-react';
import { memo, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { IconButton } from '../button';
import { CopyButton } from '../copy-button';
import { cx } from '../cx';
import { Highlighter, type Piece } from './highlight';
import { useMode } from './use-mode';

const PieceView = memo(function PieceView({ piece }: { piece: Piece }) {
  return (
    <span className="block min-h-[1.55em]">
      {piece.tokens.map(({ text, kind }, index) =>
        kind === null ? (
          text
        ) : (
          // biome-ignore lint/suspicious/noArrayIndexKey: a piece is drawn anew as a whole
          <span key={index} className={`code-${kind}`}>
            {text}
          </span>
        ),
      )}
    </span>
  );
});

/** A code block with its language, a copy button and a toggle for long lines: scroll or wrap. */
export function CodeBlock({ language, text }: { language: string; text: string }) {
  const { t } = useTranslation();
  const [wrapped, setWrapped] = useState(false);
  const mode = useMode(language);
  const highlighter = useMemo(() => new Highlighter(mode), [mode]);
  const pieces = useMemo(() => highlighter.pieces(text), [highlighter, text]);
  return (
    <figure dir="ltr" className="code overflow-clip rounded-[10px] border border-line bg-card">
      <figcaption className="sticky top-0 flex h-8 items-center gap-0.5 border-line border-b bg-side pr-1 pl-3 text-ink-2 text-mini">
        <span className="min-w-0 grow truncate">
          {language === '' ? t('chat.code') : language.toLowerCase()}
        </span>
        <IconButton
          label={t('chat.wrapCode')}
          aria-pressed={wrapped}
          className={cx(wrapped && 'bg-fill text-ink')}
          onClick={() => setWrapped(!wrapped)}
        >
          <WrapText size={13} aria-hidden="true" />
        </IconButton>
        <CopyButton text={() => text} label={t('chat.copyCode')} />
      </figcaption>
      <pre
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
        tabIndex={0}
        className={cx(
          'overflow-x-auto px-3 py-2.5 font-mono text-[12px] leading-[1.55] -outline-offset-2',
          wrapped && 'whitespace-pre-wrap [overflow-wrap:anywhere]',
        )}
      >
        <code>
          {pieces.map((piece, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: pieces only ever grow at the end
            <PieceView key={index} piece={piece} />
          ))}
        </code>
      </pre>
    </figure>
  );
}
