import { Check, Copy } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { IconButton } from './button';
import { copyText } from './clipboard';

/** Copies what `text` returns at the time of the click and confirms it for two seconds. */
export function CopyButton({
  text,
  label,
  className,
}: {
  text: () => string;
  label: string;
  className?: string;
}) {
  const { t } = useTranslation();
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2_000);
    return () => clearTimeout(timer);
  }, [copied]);
  const Icon = copied ? Check : Copy;
  return (
    <IconButton
      label={copied ? t('common.copied') : label}
      className={className}
      onClick={() => void copyText(text()).then(() => setCopied(true))}
    >
      <Icon size={13} aria-hidden="true" className={copied ? 'text-ok' : undefined} />
    </IconButton>
  );
}
