import type { ReactNode } from 'react';
import { cx } from './cx';

interface CardProps {
  title: ReactNode;
  /** Next to the title, less prominent. */
  aside?: ReactNode;
  action?: ReactNode;
  className?: string;
  children?: ReactNode;
}

/** A card with a title. Extra attributes (test ids, data) are set on its section. */
export function Card({
  title,
  aside,
  action,
  className,
  children,
  ...rest
}: CardProps & Record<`data-${string}`, unknown>) {
  return (
    <section
      className={cx('@container rounded-card border border-line bg-card px-3.5 py-3', className)}
      {...rest}
    >
      <div className="flex min-h-7 items-center gap-2">
        <h2 className="flex shrink-0 items-center gap-2 font-[650]">{title}</h2>
        {aside && <span className="min-w-0 text-ink-2 text-small leading-tight">{aside}</span>}
        {action && <span className="ml-auto flex shrink-0 gap-1.5">{action}</span>}
      </div>
      {children}
    </section>
  );
}

interface FigureProps {
  value: ReactNode;
  caption: string;
  title?: string;
  className?: string;
}

/** A figure with its caption below. */
export function CaptionedFigure({ value, caption, title, className }: FigureProps) {
  return (
    <div title={title} className={cx('min-w-0', className)}>
      <dd className="truncate font-[600] tabular-nums">{value}</dd>
      <dt className="truncate text-ink-3 text-small">{caption}</dt>
    </div>
  );
}
