import { Check } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { CATEGORIES } from '../../../shared/domain';
import { cx } from '../../components/cx';
import { Section } from '../../components/section';
import { OnlyLightRow } from './only-light-row';
import { SettingRow } from './setting-row';
import { NumberRow } from './setting-rows';
import { useSetting } from './use-setting';

export function MlxSection() {
  const { t } = useTranslation();
  return (
    <Section title={t('settings.sections.mlx')}>
      <OnlyLightRow />
      <CategoriesRow />
      <NumberRow
        of="mlxMaxConcurrent"
        title={t('settings.mlxConcurrent')}
        hint={t('settings.mlxConcurrentHint')}
        min={1}
        max={16}
      />
      <NumberRow
        of="mlxWiredPercent"
        title={t('settings.mlxWired')}
        hint={t('settings.mlxWiredHint')}
        min={0}
        max={65}
        unit={t('settings.percentUnit')}
      />
    </Section>
  );
}

/** Which categories MLX may take, as a row of toggles. */
function CategoriesRow() {
  const { t } = useTranslation();
  const setting = useSetting('mlxCategories');
  if (setting === null) return null;
  const toggle = (category: (typeof CATEGORIES)[number]) => {
    const next = new Set(setting.value);
    if (!next.delete(category)) next.add(category);
    void setting.set(CATEGORIES.filter((candidate) => next.has(candidate)));
  };
  return (
    <SettingRow
      setting={setting}
      title={t('settings.categories')}
      hint={t('settings.categoriesHint')}
      control={() => null}
    >
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset brings a legend that would repeat the row's title */}
      <div role="group" aria-label={t('settings.categories')} className="mt-2 flex flex-wrap gap-1.5">
        {CATEGORIES.map((category) => {
          const on = setting.value.includes(category);
          return (
            <button
              key={category}
              type="button"
              aria-pressed={on}
              disabled={setting.env !== null}
              onClick={() => toggle(category)}
              className={cx(
                'inline-flex min-h-6 items-center gap-1 rounded-full border px-2.5 py-0.5 text-small transition-colors duration-100 disabled:opacity-60',
                on ? 'border-transparent bg-bolt-bg text-bolt' : 'border-line-2 text-ink-2 hover:bg-hover',
              )}
            >
              {on && <Check size={11} aria-hidden="true" />}
              {t(`why.categories.${category}`)}
            </button>
          );
        })}
      </div>
    </SettingRow>
  );
}
