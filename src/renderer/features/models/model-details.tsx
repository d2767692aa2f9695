import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { ModelView } from '../../../shared/models';
import { useNow } from '../../components/use-now';
import { useFormat } from '../../i18n/use-format';
import { capabilityWords, languageNames } from './model-words';

/** Languages that are named; the rest is counted. */
const MOST_LANGUAGES = 6;

/** What is known of a model, beyond its row. */
export function ModelDetails({ model }: { model: ModelView }) {
  const { t } = useTranslation();
  const format = useFormat();
  const now = useNow(60_000);
  const { name, languages, capabilities, loadMs, tokensPerSecond, lastUsedAt, owner } = model;
  const able = capabilities.map((capability) => capabilityWords(capability, t)).join(', ');
  const measured = [
    loadMs === null ? null : t('models.loadsIn', { time: format.duration(loadMs) }),
    tokensPerSecond === null ? null : format.speed(tokensPerSecond),
  ].filter(Boolean);
  return (
    <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-3 gap-y-0.5 text-small">
      <Fact name={t('models.name')}>
        <span className="select-text [overflow-wrap:anywhere]">{name}</span>
      </Fact>
      <Fact name={t('models.languages')}>{useLanguages(languages)}</Fact>
      {able !== '' && <Fact name={t('models.can')}>{able}</Fact>}
      <Fact name={t('models.measured')}>
        {measured.length === 0 ? t('models.notMeasured') : measured.join(t('common.separator'))}
      </Fact>
      <Fact name={t('models.lastUse')}>
        {lastUsedAt === null ? (
          t('models.never')
        ) : (
          <span title={format.moment(lastUsedAt)}>{format.when(lastUsedAt, now)}</span>
        )}
      </Fact>
      <Fact name={t('models.place')}>{t(`models.owners.${owner}`)}</Fact>
    </dl>
  );
}

function useLanguages(codes: readonly string[] | null): string {
  const { t } = useTranslation();
  const { language } = useFormat();
  if (codes === null) return t('models.languagesUnknown');
  const names = languageNames(codes.slice(0, MOST_LANGUAGES), language).join(', ');
  const more = codes.length - MOST_LANGUAGES;
  return more > 0 ? `${names} ${t('line.more', { count: more })}` : names;
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt className="text-ink-3">{name}</dt>
      <dd className="min-w-0">{children}</dd>
    </>
  );
}
