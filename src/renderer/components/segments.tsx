import { RadioGroup } from 'radix-ui';
import type { ReactNode } from 'react';

interface SegmentsProps {
  value: string;
  options: readonly { value: string; label: ReactNode }[];
  onChange: (value: string) => void;
  label: string;
}

/** A choice of one among few, all visible. Arrow keys move it. */
export function Segments({ value, options, onChange, label }: SegmentsProps) {
  return (
    <RadioGroup.Root
      value={value}
      onValueChange={onChange}
      aria-label={label}
      orientation="horizontal"
      className="inline-flex gap-0.5 rounded-control bg-fill p-0.5"
    >
      {options.map((option) => (
        <RadioGroup.Item
          key={option.value}
          value={option.value}
          className="inline-flex h-6 items-center gap-1.5 rounded-badge px-2.5 font-[550] text-ink-2 text-small data-[state=checked]:bg-accent-soft data-[state=checked]:text-accent-text"
        >
          {option.label}
        </RadioGroup.Item>
      ))}
    </RadioGroup.Root>
  );
}
