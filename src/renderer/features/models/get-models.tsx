import { useTranslation } from 'react-i18next';
import { PURPOSES } from '../../../shared/models';
import { SuggestionRow } from '../../components/models/suggestion-row';
import { usePart } from '../../stores/core-store';
import { AddByName } from './add-by-name';
import { HubTokenSection } from './hub-token';
import { useHubToken } from './use-hub-token';

/** Models to get: by name, and those of the catalogue that fit this machine, by purpose. */
export function GetModels() {
  const token = useHubToken();
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-4">
      <AddByName token={token} />
      <Catalogue />
      <HubTokenSection token={token} />
    </div>
  );
}

function Catalogue() {
  const { t } = useTranslation();
  const firstStart = usePart('firstStart');
  const suggestions = firstStart?.suggestions ?? [];
  if (firstStart?.machine.totalBytes == null) return <span className="skeleton block h-40" />;
  if (suggestions.length === 0) return <p className="px-1 text-ink-2">{t('models.noneFits')}</p>;
  return (
    <section aria-label={t('models.region')} className="grid grid-cols-[minmax(0,1fr)] gap-4">
      {PURPOSES.map((purpose) => {
        const members = suggestions.filter((suggestion) => suggestion.purpose === purpose);
        if (members.length === 0) return null;
        return (
          <section key={purpose} aria-label={t(`models.purposes.${purpose}`)}>
            <h2 className="px-1 pb-1.5 font-[600] text-ink-2 text-small">
              {t(`models.purposes.${purpose}`)}
            </h2>
            <ul className="divide-y divide-line rounded-card border border-line bg-card">
              {members.map((suggestion) => (
                <li key={`${suggestion.backend}/${suggestion.name}`}>
                  <SuggestionRow suggestion={suggestion} facts="all" />
                </li>
              ))}
            </ul>
          </section>
        );
      })}
    </section>
  );
}
