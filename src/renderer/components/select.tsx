import { ChevronDown } from 'lucide-react';

interface SelectProps {
  value: string;
  options: readonly { value: string; label: string }[];
  onChange: (value: string) => void;
  label: string;
  disabled?: boolean;
  describedBy?: string;
}

/**
 * A choice of one. Uses the system's native list: it may extend beyond the small popover window, and every screen
 * reader and keyboard supports it.
 */
export function Select({ value, options, onChange, label, disabled = false, describedBy }: SelectProps) {
  return (
    <span className="relative inline-flex min-w-0 max-w-[min(212px,100%)] items-center">
      <select
        value={value}
        aria-label={label}
        aria-describedby={describedBy}
        disabled={disabled}
        onChange={(event) => onChange(event.target.value)}
        className="native h-7 min-w-0 max-w-full truncate rounded-control bg-fill pr-6 pl-2.5 text-ink text-small hover:bg-line disabled:opacity-60"
      >
        {options.map((option) => (
          <option key={option.value} value={option.value} className="bg-card text-ink">
            {option.label}
          </option>
        ))}
      </select>
      <ChevronDown size={13} aria-hidden="true" className="pointer-events-none absolute right-2 text-ink-2" />
    </span>
  );
}
