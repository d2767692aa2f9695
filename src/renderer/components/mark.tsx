import type { MarkShape } from './backend-words';
import { cx } from './cx';

const SHAPES = {
  ready: 'mark-ready',
  working: 'mark-working',
  off: 'mark-off',
  trouble: 'mark-trouble',
} satisfies Record<MarkShape, string>;

/** Status mark. Text always accompanies it, so screen readers skip it. */
export function Mark({ shape }: { shape: MarkShape }) {
  return (
    <span className="inline-grid w-[11px] shrink-0 place-items-center" aria-hidden="true">
      <span className={cx('mark', SHAPES[shape])} />
    </span>
  );
}
