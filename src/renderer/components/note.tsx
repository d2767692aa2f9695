import { CircleAlert, Info, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import { cx } from './cx';

const LOOKS = {
  warn: { icon: TriangleAlert, box: 'border-warn-line bg-warn-bg', ink: 'text-warn' },
  bad: { icon: CircleAlert, box: 'border-bad-line bg-bad-bg', ink: 'text-bad' },
  info: { icon: Info, box: 'border-line bg-fill', ink: 'text-ink-2' },
};

/** A highlighted sentence with its actions. */
export function Note({
  tone,
  className,
  children,
}: {
  tone: keyof typeof LOOKS;
  className?: string;
  children: ReactNode;
}) {
  const { icon: Icon, box, ink } = LOOKS[tone];
  return (
    <div className={cx('flex gap-2 rounded-control border px-2.5 py-1.5 text-small', box, className)}>
      <Icon size={14} aria-hidden="true" className={cx('mt-[2px] shrink-0', ink)} />
      <div className="min-w-0 grow">{children}</div>
    </div>
  );
}
