import { ChevronRight } from 'lucide-react';
import type { ReactNode } from 'react';
import { cx } from './cx';

interface DisclosureProps {
  summary: ReactNode;
  /** Whether it is open initially. */
  open?: boolean;
  className?: string;
  children: ReactNode;
}

/** A collapsible part: one line, and the details behind it. */
export function Disclosure({ summary, open = false, className, children }: DisclosureProps) {
  return (
    <details className={cx('group/disclosure min-w-0', className)} open={open}>
      <summary className="-mx-1 flex min-h-6 cursor-default list-none items-center gap-1 rounded-badge px-1 text-ink-2 text-small hover:text-ink">
        <ChevronRight
          size={12}
          aria-hidden="true"
          className="shrink-0 transition-transform duration-100 group-open/disclosure:rotate-90"
        />
        <span className="min-w-0 grow truncate">{summary}</span>
      </summary>
      {children}
    </details>
  );
}
