import { X } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { dismissToast, useUi } from '../stores/ui-store';
import { Button, IconButton } from './button';
import { cx } from './cx';

/** Short notes of the visible view, in their own area, so that they cover nothing; announced politely. */
export function Toaster() {
  const { t } = useTranslation();
  const all = useUi((state) => state.toasts);
  const view = useUi((state) => state.view);
  const toasts = all.filter((toast) => toast.view === view);
  return (
    <div
      role="status"
      className={cx('flex shrink-0 flex-col items-center gap-2 px-3', toasts.length > 0 && 'py-2')}
    >
      {toasts.map((toast) => (
        <div
          key={toast.id}
          className={cx(
            'rise flex max-w-md items-center gap-2 rounded-[10px] border py-1.5 pr-1.5 pl-3 text-small shadow-[0_6px_24px_var(--shadow)]',
            toast.tone === 'error' ? 'border-bad-line bg-bad-bg text-ink' : 'border-line-2 bg-card text-ink',
          )}
        >
          <span className="min-w-0 [overflow-wrap:anywhere]">{toast.text}</span>
          {toast.action && (
            <Button
              tone="plain"
              onClick={() => {
                toast.action?.run();
                dismissToast(toast.id);
              }}
            >
              {toast.action.label}
            </Button>
          )}
          <IconButton label={t('common.dismiss')} onClick={() => dismissToast(toast.id)}>
            <X size={13} aria-hidden="true" />
          </IconButton>
        </div>
      ))}
    </div>
  );
}
