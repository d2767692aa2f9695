import { useTranslation } from 'react-i18next';
import { backendName } from '../i18n/backend-name';
import { useLooks } from './backends';
import { cx } from './cx';

/** Who answered, a backend, `cache` or Tandem itself (`app`): shape, word and colour together. */
export function Badge({ source, className }: { source: string; className?: string }) {
  const { t } = useTranslation();
  const { Icon, badge } = useLooks()(source);
  return (
    <span
      className={cx(
        'inline-flex h-[19px] shrink-0 items-center gap-1 rounded-badge pr-[7px] pl-1.5 text-mini font-[650]',
        badge,
        className,
      )}
    >
      <Icon width={11} height={11} aria-hidden="true" />
      {backendName(source, t)}
    </span>
  );
}
