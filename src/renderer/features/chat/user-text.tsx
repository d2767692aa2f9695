import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '../../components/button';
import { useFormat } from '../../i18n/use-format';
import { useHasFound } from './use-found';

/** A message longer than this, in characters or lines, is folded to this length. */
const LONG = { chars: 4_000, lines: 40 };
const SHOWN = { chars: 1_200, lines: 14 };

/** The user's text, verbatim; each line runs in the direction of its script. */
export function UserText({ text }: { text: string }) {
  const { t } = useTranslation();
  const { fileSize } = useFormat();
  const found = useHasFound(text);
  const [chosen, setOpen] = useState<boolean | null>(null);
  const open = chosen ?? found;
  const long = text.length > LONG.chars || cut(text, { ...LONG }) !== text;
  const size = fileSize(new Blob([text]).size);
  return (
    <div dir="auto" className="plaintext whitespace-pre-wrap [overflow-wrap:anywhere]">
      {long && !open ? `${cut(text, SHOWN)}…` : text}
      {long && (
        <Button
          tone="plain"
          aria-expanded={open}
          className="-mx-1.5 mt-1 flex"
          onClick={() => setOpen(!open)}
        >
          {open ? t('chat.showLess') : t('chat.showAll', { size })}
        </Button>
      )}
    </div>
  );
}

/** The beginning of a text, within the limits. */
function cut(text: string, { chars, lines }: { chars: number; lines: number }): string {
  let end = 0;
  for (let line = 0; line < lines; line += 1) {
    const next = text.indexOf('\n', end);
    if (next === -1 || next >= chars) return text.slice(0, chars);
    end = next + 1;
  }
  return text.slice(0, end - 1);
}
