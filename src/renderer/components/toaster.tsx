import { X } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { dismissToast, useUi } from '../stores/ui-store';
import { Button, IconButton } from './button';
import { cx } from './cx';

/** Short notes at the head of the window, clear of the composer; spoken politely. */
export function Toaster() {
  const { t } = useTranslation();
  const toasts = useUi((state) => state.toasts);
  return (
    <div
      role="status"
      className="pointer-events-none fixed inset-x-3 top-[84px] z-40 flex flex-col items-center gap-2"
    >
      {toasts.map((toast) => (
        <div
          key={toast.id}
          className={cx(
            'rise pointer-events-auto flex max-w-md items-center gap-2 rounded-[10px] border py-1.5 pr-1.5 pl-3 text-small shadow-[0_6px_24px_var(--shadow)]',
            toast.tone === 'error' ? 'border-bad-line bg-bad-bg text-ink' : 'border-line-2 bg-card text-ink',
          )}
        >
          <span>{toast.text}</span>
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
