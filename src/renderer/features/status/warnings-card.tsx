import { useTranslation } from 'react-i18next';
import { Card } from '../../components/card';
import { Note } from '../../components/note';
import { WithCommands } from '../../components/with-commands';
import { errorWords } from '../../i18n/core-words';
import { usePart } from '../../stores/core-store';

/** Warnings: sentences that name files, ports and variables. */
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
                <WithCommands text={errorWords(warning, t)} />
              </span>
            </Note>
          </li>
        ))}
      </ul>
    </Card>
  );
}
