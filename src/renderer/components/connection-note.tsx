import { useTranslation } from 'react-i18next';
import { useCore } from '../stores/core-store';
import { Mark } from './mark';

/** A line under the strip while the core cannot be reached. What was written stays readable. */
export function ConnectionNote() {
  const { t } = useTranslation();
  const lost = useCore((state) => state.connection === 'lost');
  if (!lost) return null;
  return (
    <div className="fade-in flex shrink-0 items-center gap-2 border-warn-line border-b bg-warn-bg px-3 py-1.5 text-small">
      <Mark shape="working" />
      {t('strip.lost')}
    </div>
  );
}
