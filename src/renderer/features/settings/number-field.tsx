import { type KeyboardEvent, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { isComposing } from '../../components/composition';

interface NumberFieldProps {
  value: number | null;
  min: number;
  max: number;
  label: string;
  unit?: string;
  /** Shown while there is no value; if set, an empty field is valid. */
  empty?: string;
  describedBy: string;
  disabled: boolean;
  onChange: (value: number) => void;
  /** What is wrong with the text; null while it is being corrected. */
  onProblem: (problem: string | null) => void;
  onEmpty?: () => void;
}

/** A number, saved on Enter or blur. A value out of bounds stays, with the accepted range; Escape reverts it. */
export function NumberField(props: NumberFieldProps) {
  const { value, min, max, label, unit, empty, describedBy, disabled, onChange, onProblem, onEmpty } = props;
  const { t } = useTranslation();
  const [text, setText] = useState(String(value ?? ''));
  useEffect(() => setText(String(value ?? '')), [value]);

  const save = () => {
    if (text.trim() === '' && onEmpty) {
      if (value !== null) onEmpty();
      return;
    }
    const next = Number(text.replace(',', '.'));
    if (text.trim() !== '' && Number.isFinite(next) && next >= min && next <= max) {
      if (next !== value) onChange(next);
    } else onProblem(t('settings.numberRange', { min, max }));
  };
  const edit = (next: string) => {
    setText(next);
    onProblem(null);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (isComposing(event.nativeEvent)) return;
    if (event.key === 'Enter') save();
    if (event.key === 'Escape' && text !== String(value ?? '')) {
      event.preventDefault();
      edit(String(value ?? ''));
    }
  };
  return (
    <span className="inline-flex h-7 items-center rounded-control bg-fill pr-2 focus-within:outline-2 focus-within:outline-accent">
      <input
        type="text"
        inputMode="decimal"
        role="spinbutton"
        aria-valuemin={min}
        aria-valuemax={max}
        aria-valuenow={value ?? undefined}
        aria-label={label}
        aria-describedby={describedBy}
        value={text}
        placeholder={empty}
        disabled={disabled}
        onChange={(event) => edit(event.target.value)}
        onBlur={save}
        onKeyDown={onKeyDown}
        className={`${empty ? 'w-24' : 'w-12'} h-full bg-transparent px-2 text-right text-small tabular-nums outline-none disabled:opacity-60`}
      />
      {unit && text !== '' && <span className="text-ink-2 text-small">{unit}</span>}
    </span>
  );
}
