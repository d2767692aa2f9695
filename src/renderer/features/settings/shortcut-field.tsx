import { type KeyboardEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { accelerator, acceleratorKeys } from './accelerator';

interface ShortcutFieldProps {
  value: string;
  label: string;
  describedBy: string;
  disabled: boolean;
  onChange: (value: string) => void;
}

/** A key combination: click, then press it. Escape cancels; Tab moves on. */
export function ShortcutField({ value, label, describedBy, disabled, onChange }: ShortcutFieldProps) {
  const { t } = useTranslation();
  const [recording, setRecording] = useState(false);
  const onKeyDown = (event: KeyboardEvent) => {
    if (!recording || event.key === 'Tab') return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === 'Escape') {
      setRecording(false);
      return;
    }
    const keys = accelerator(event);
    if (keys === null) return;
    setRecording(false);
    if (keys !== value) onChange(keys);
  };
  return (
    <button
      type="button"
      aria-label={`${label}: ${value}`}
      aria-describedby={describedBy}
      aria-pressed={recording}
      disabled={disabled}
      onClick={() => setRecording(true)}
      onBlur={() => setRecording(false)}
      onKeyDown={onKeyDown}
      className="inline-flex h-7 items-center gap-1 rounded-control bg-fill px-2 text-small hover:bg-line disabled:opacity-60"
    >
      {recording
        ? t('settings.shortcutRecord')
        : acceleratorKeys(value).map((key) => (
            <kbd key={key} className="rounded-[4px] border border-line-2 bg-card px-1.5 font-sans text-mini">
              {key}
            </kbd>
          ))}
    </button>
  );
}
