import { ChevronRight } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { cx } from '../../components/cx';
import { Markdown } from '../../components/markdown/markdown';
import { useFormat } from '../../i18n/use-format';
import { useHasFound } from './use-found';

interface ThinkingProps {
  text: string;
  /** More text will arrive. */
  writing: boolean;
  /** How long it took; undefined = unknown. */
  ms: number | undefined;
}

/** The model's thinking before its answer, folded. Folded text is not parsed, so its growth costs nothing. */
export function Thinking({ text, writing, ms }: ThinkingProps) {
  const { t } = useTranslation();
  const { duration } = useFormat();
  const found = useHasFound(text);
  const [chosen, setOpen] = useState<boolean | null>(null);
  const open = chosen ?? found;
  const done = ms === undefined ? t('answer.thought') : t('answer.thoughtFor', { time: duration(ms) });
  return (
    <section data-testid="thinking" className="mb-2">
      <button
        type="button"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
        className="-mx-1 flex min-h-6 items-center gap-1 rounded-badge px-1 text-ink-2 text-small hover:text-ink"
      >
        <ChevronRight
          size={12}
          aria-hidden="true"
          className={cx('shrink-0 transition-transform duration-100', open && 'rotate-90')}
        />
        {writing ? t('answer.thinking') : done}
        {writing && <span aria-hidden="true" className="mark mark-working ml-1" />}
      </button>
      {open && (
        <div className="mt-1 ml-[5px] border-line-2 border-l-2 pl-3 text-ink-2 text-small">
          <Markdown text={text} writing={writing} />
        </div>
      )}
    </section>
  );
}
