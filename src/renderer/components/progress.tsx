import { cx } from './cx';

/** A bar from 0 to 100; without a value it is indeterminate. */
export function Progress({
  percent,
  label,
  className,
}: {
  percent: number | null;
  label: string;
  className?: string;
}) {
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent === null ? undefined : Math.round(percent)}
      className={cx('h-1 overflow-hidden rounded-full bg-line', className)}
    >
      <div
        className={cx('h-full rounded-full bg-accent', percent === null && 'skeleton !bg-accent w-1/3')}
        style={percent === null ? undefined : { width: `${percent}%` }}
      />
    </div>
  );
}
