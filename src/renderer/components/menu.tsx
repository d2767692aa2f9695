import { Check } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import type { ReactNode } from 'react';
import { cx } from './cx';

const ITEM =
  'flex min-h-7 select-none items-center gap-2 rounded-badge px-2 py-1 text-small outline-none data-[highlighted]:bg-accent-soft data-[disabled]:opacity-50';

interface MenuProps {
  trigger: ReactNode;
  children: ReactNode;
  side?: 'top' | 'bottom';
  align?: 'start' | 'end';
  /** Called on close, before the focus returns to the trigger; `preventDefault` keeps the focus elsewhere. */
  onCloseAutoFocus?: (event: Event) => void;
}

/** A menu over the page. Not modal: it does not block scrolling and adds no style element to the page. */
export function Menu({ trigger, children, side = 'bottom', align = 'end', onCloseAutoFocus }: MenuProps) {
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          side={side}
          align={align}
          sideOffset={5}
          collisionPadding={8}
          onCloseAutoFocus={onCloseAutoFocus}
          className="fade-in z-50 max-h-(--radix-dropdown-menu-content-available-height) min-w-40 max-w-80 overflow-y-auto rounded-[10px] border border-line-2 bg-card p-1 text-ink shadow-[0_8px_28px_var(--shadow)]"
        >
          {children}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

interface MenuItemProps {
  icon?: ReactNode;
  danger?: boolean;
  onSelect: () => void;
  children: ReactNode;
}

export function MenuItem({ icon, danger = false, onSelect, children }: MenuItemProps) {
  return (
    <DropdownMenu.Item className={cx(ITEM, danger && 'text-bad-text')} onSelect={onSelect}>
      {icon}
      {children}
    </DropdownMenu.Item>
  );
}

interface MenuChoiceProps {
  checked: boolean;
  /** Why it cannot be chosen; null or absent = it can. */
  blocked?: string | null;
  onSelect: () => void;
  children: ReactNode;
}

export function MenuChoice({ checked, blocked = null, onSelect, children }: MenuChoiceProps) {
  return (
    <DropdownMenu.CheckboxItem
      className={cx(ITEM, 'pr-7')}
      checked={checked}
      disabled={blocked !== null}
      onSelect={onSelect}
    >
      <span>
        {children}
        {blocked !== null && <span className="block">{blocked}</span>}
      </span>
      {checked && <Check size={13} aria-hidden="true" className="-mr-5 ml-auto shrink-0 text-accent-text" />}
    </DropdownMenu.CheckboxItem>
  );
}

export function MenuHeading({ children }: { children: ReactNode }) {
  return (
    <DropdownMenu.Label className="px-2 pt-2 pb-1 font-[600] text-ink-3 text-mini">
      {children}
    </DropdownMenu.Label>
  );
}
