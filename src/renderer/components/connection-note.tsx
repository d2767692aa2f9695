import { useTranslation } from 'react-i18next';
import { useCore } from '../stores/core-store';
import { Mark } from './mark';

/** A line under the strip while the core is unreachable or rejects this page. The text on the page stays readable. */
export function ConnectionNote() {
  const { t } = useTranslation();
  const connection = useCore((state) => state.connection);
  if (connection !== 'lost' && connection !== 'refused') return null;
  return (
    <div className="fade-in flex shrink-0 items-center gap-2 border-warn-line border-b bg-warn-bg px-3 py-1.5 text-small">
      <Mark shape={connection === 'lost' ? 'working' : 'trouble'} />
      {t(connection === 'lost' ? 'strip.lost' : 'errors.unauthorized')}
    </div>
  );
}
