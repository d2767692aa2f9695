import { Brain } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import type { AnswerSource } from '../../shared/domain';
import { cx } from './cx';
import { BoltIcon, CloudIcon, StackIcon, TandemIcon } from './icons';

const LOOKS = {
  mlx: { icon: BoltIcon, tone: 'bg-mlx-bg text-mlx' },
  ollama: { icon: StackIcon, tone: 'bg-ollama-bg text-ollama' },
  cloud: { icon: CloudIcon, tone: 'bg-cloud-bg text-cloud' },
  cache: { icon: Brain, tone: 'bg-fill text-ink-2' },
  app: { icon: TandemIcon, tone: 'bg-fill text-ink-2' },
} as const;

/** Who answered: shape, word and colour together. */
export function Badge({ source, className }: { source: AnswerSource; className?: string }) {
  const { t } = useTranslation();
  const { icon: Icon, tone } = LOOKS[source];
  return (
    <span
      className={cx(
        'inline-flex h-[19px] shrink-0 items-center gap-1 rounded-badge pr-[7px] pl-1.5 text-mini font-[650]',
        tone,
        className,
      )}
    >
      <Icon width={11} height={11} aria-hidden="true" />
      {t(`backend.${source}`)}
    </span>
  );
}
