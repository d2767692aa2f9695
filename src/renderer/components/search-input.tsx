import { Search, X } from 'lucide-react';
import { type KeyboardEvent, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import type { ViewPart } from '../stores/ui-store';
import { IconButton } from './button';
import { isComposing } from './composition';
import { useWantedPart } from './use-wanted-part';

interface SearchInputProps {
  query: string;
  onQuery: (query: string) => void;
  label: string;
  /** Its name for those who lead to it. */
  part: ViewPart;
  /** Called before its own keys. */
  onKey?: (event: KeyboardEvent<HTMLInputElement>) => void;
}

/** A search field; Escape clears it. */
export function SearchInput({ query, onQuery, label, part, onKey }: SearchInputProps) {
  const { t } = useTranslation();
  const field = useRef<HTMLInputElement>(null);
  useWantedPart(part, field);
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    onKey?.(event);
    if (isComposing(event.nativeEvent) || event.key !== 'Escape' || query === '') return;
    event.stopPropagation();
    onQuery('');
  };
  return (
    <div className="relative">
      <Search size={13} aria-hidden="true" className="absolute top-2 left-2.5 text-ink-3" />
      <input
        ref={field}
        type="search"
        value={query}
        maxLength={200}
        aria-label={label}
        placeholder={label}
        onChange={(event) => onQuery(event.target.value)}
        onKeyDown={onKeyDown}
        className="h-[30px] w-full rounded-control bg-fill pr-7 pl-[30px] text-small [&::-webkit-search-cancel-button]:hidden"
      />
      {query !== '' && (
        <IconButton
          label={t('chat.clearSearch')}
          className="absolute top-[3px] right-[3px] !size-6"
          onClick={() => {
            onQuery('');
            field.current?.focus();
          }}
        >
          <X size={12} aria-hidden="true" />
        </IconButton>
      )}
    </div>
  );
}
