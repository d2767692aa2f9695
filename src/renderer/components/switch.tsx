import { Switch as Primitive } from 'radix-ui';
import type { Ref } from 'react';

interface SwitchProps {
  checked: boolean;
  onChange: (checked: boolean) => void;
  label: string;
  disabled?: boolean;
  describedBy?: string;
  testId?: string;
  ref?: Ref<HTMLButtonElement>;
}

export function Switch({
  checked,
  onChange,
  label,
  disabled = false,
  describedBy,
  testId,
  ref,
}: SwitchProps) {
  return (
    <Primitive.Root
      ref={ref}
      checked={checked}
      onCheckedChange={onChange}
      disabled={disabled}
      aria-label={label}
      aria-describedby={describedBy}
      data-testid={testId}
      className="relative h-6 w-[38px] shrink-0 rounded-full bg-line-2 transition-colors duration-100 disabled:opacity-50 data-[state=checked]:bg-accent"
    >
      <Primitive.Thumb className="block size-5 translate-x-0.5 rounded-full bg-white shadow-sm transition-transform duration-100 data-[state=checked]:translate-x-4" />
    </Primitive.Root>
  );
}
