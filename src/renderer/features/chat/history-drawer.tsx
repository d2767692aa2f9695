import { SquarePen, X } from 'lucide-react';
import { Dialog } from 'radix-ui';
import { useTranslation } from 'react-i18next';
import { IconButton } from '../../components/button';
import { isComposing } from '../../components/composition';
import { Toaster } from '../../components/toaster';
import { beginChat } from '../../stores/chat-store';
import { setDrawer, useUi } from '../../stores/ui-store';
import { HistoryList } from './history-list';

/** Does Escape apply to a field with text, or to a composition, and not to the drawer? */
function isOfField(event: KeyboardEvent): boolean {
  return isComposing(event) || (event.target instanceof HTMLInputElement && event.target.value !== '');
}

/** The history over the narrow window. Focus stays inside and returns to its previous element on close. */
export function HistoryDrawer() {
  const { t } = useTranslation();
  const open = useUi((state) => state.drawer);
  return (
    <Dialog.Root open={open} onOpenChange={setDrawer} modal={false}>
      <Dialog.Portal>
        {open && <div aria-hidden="true" className="fade-in fixed inset-0 z-20 bg-black/30" />}
        <Dialog.Content
          aria-describedby={undefined}
          onEscapeKeyDown={(event) => {
            if (isOfField(event)) event.preventDefault();
          }}
          className="fade-in fixed inset-y-0 left-0 z-30 flex w-[min(300px,86vw)] flex-col border-line border-r bg-side shadow-[4px_0_24px_var(--shadow)] outline-none"
        >
          <div className="flex h-10 shrink-0 items-center gap-1 px-2">
            <Dialog.Title className="grow px-2 font-[650]">{t('chat.history')}</Dialog.Title>
            <IconButton label={t('chat.newChat')} onClick={beginChat}>
              <SquarePen size={15} aria-hidden="true" />
            </IconButton>
            <Dialog.Close asChild>
              <IconButton label={t('chat.closeHistory')}>
                <X size={15} aria-hidden="true" />
              </IconButton>
            </Dialog.Close>
          </div>
          <HistoryList />
          <Toaster />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
