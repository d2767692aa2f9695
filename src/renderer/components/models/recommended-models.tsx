import { useTranslation } from 'react-i18next';
import type { FirstStart, Suggestion } from '../../../shared/models';
import { usePart } from '../../stores/core-store';
import { showPart } from '../../stores/ui-store';
import { Button } from '../button';
import { SuggestionRow } from './suggestion-row';
import { isForModel, useDownloads } from './use-downloads';

/** The models to offer first: those of the pair, the heavy one before the light one, then the rest of the catalogue. */
function inOrder({ pair, suggestions }: FirstStart): Suggestion[] {
  const first = [pair?.heavy, pair?.light].filter((model) => model != null);
  const others = suggestions.filter((suggestion) => !first.some((model) => isForModel(model, suggestion)));
  return [...first, ...others];
}

/**
 * At most `most` models that fit this machine and are not installed, each with its button or download, and the way to
 * all others. `language`: only models that know it. Nothing if there is none.
 */
export function RecommendedModels({ most, language }: { most: number; language?: string | undefined }) {
  const { t } = useTranslation();
  const firstStart = usePart('firstStart');
  const downloads = useDownloads();
  if (!firstStart) return null;
  const shown = inOrder(firstStart)
    .filter(
      ({ languages }) => language === undefined || languages.length === 0 || languages.includes(language),
    )
    .filter((model) => !model.installed || downloads.some((download) => isForModel(download, model)))
    .slice(0, most);
  return (
    <section aria-label={t('models.region')} className="text-left">
      {shown.length > 0 && (
        <ul className="divide-y divide-line rounded-card border border-line bg-card">
          {shown.map((model) => (
            <li key={`${model.backend}/${model.name}`}>
              <SuggestionRow suggestion={model} facts="purpose" />
            </li>
          ))}
        </ul>
      )}
      <Button tone="plain" className="-ml-2.5 mt-1" onClick={() => showPart('model-get')}>
        {t('models.more')}
      </Button>
    </section>
  );
}
