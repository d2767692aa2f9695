import type { ButtonHTMLAttributes, ReactNode, Ref } from 'react';
import { cx } from './cx';

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  tone?: 'accent' | 'quiet' | 'plain' | 'danger';
  ref?: Ref<HTMLButtonElement>;
  children: ReactNode;
}

const TONES = {
  accent: 'bg-accent text-on-accent hover:brightness-[1.06] active:brightness-95',
  quiet: 'bg-fill text-ink hover:bg-line active:bg-line-2',
  plain: 'text-accent-text hover:bg-accent-soft',
  danger: 'bg-bad-bg text-bad-text hover:brightness-[0.98]',
};

/** A button with a text label. At least 28 px high. */
export function Button({ tone = 'quiet', className, children, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      className={cx(
        'inline-flex min-h-7 max-w-full shrink-0 items-center justify-center gap-1.5 rounded-control px-2.5 py-1 text-small font-[550]',
        'transition-colors duration-100 disabled:pointer-events-none disabled:opacity-50',
        TONES[tone],
        className,
      )}
      {...rest}
    >
      {children}
    </button>
  );
}

interface IconButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  /** Accessible name and tooltip. */
  label: string;
  ref?: Ref<HTMLButtonElement>;
  children: ReactNode;
}

/** A button with an icon and an accessible name. At least 26 px square. */
export function IconButton({ label, className, children, ...rest }: IconButtonProps) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      className={cx(
        'inline-grid size-[26px] shrink-0 place-items-center rounded-control text-ink-2 transition-colors duration-100',
        'hover:bg-hover hover:text-ink disabled:pointer-events-none disabled:opacity-40',
        className,
      )}
      {...rest}
    >
      {children}
    </button>
  );
}
