import { useTranslation } from 'react-i18next';
import { Card } from '../../components/card';
import { Note } from '../../components/note';
import { usePart } from '../../stores/core-store';

/** What a person should know, in the core's own sentences: they name files, ports and variables. */
export function WarningsCard() {
  const { t } = useTranslation();
  const warnings = usePart('warnings') ?? [];
  if (warnings.length === 0) return null;
  return (
    <Card title={t('status.warnings')} className="min-[960px]:col-span-full">
      <ul className="mt-1.5 grid gap-2">
        {warnings.map((warning) => (
          <li key={warning.code + warning.message}>
            <Note tone="warn">
              <span className="[overflow-wrap:anywhere]" title={warning.code}>
                {warning.message}
              </span>
            </Note>
          </li>
        ))}
      </ul>
    </Card>
  );
}
