import { ChevronDown } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { CATEGORIES, type Category } from '../../../shared/domain';
import { type ModelChoices, type ModelSetting, modelChoices } from '../../../shared/model-choices';
import type { ModelView } from '../../../shared/models';
import { Button } from '../../components/button';
import { Menu, MenuChoice, MenuHeading } from '../../components/menu';
import { backendName } from '../../i18n/backend-name';
import { usePart } from '../../stores/core-store';
import { perform } from '../../stores/request';

/** The kinds of work for which the user chooses a model of this server, each with the choice as the settings have it. */
export function UseForMenu({ model: { backend, name } }: { model: ModelView }) {
  const { t } = useTranslation();
  const settings = usePart('settings');
  if (!settings) return null;
  const mlxOnlyLight = settings.mlxOnlyLight.value === true;
  const words = (categories: readonly Category[]) =>
    categories.map((category) => t(`models.categories.${category}`)).join(', ');
  const { chosen, others } = bySetting(modelChoices(backend, { mlxOnlyLight }));
  return (
    <Menu
      align="start"
      trigger={
        <Button aria-label={t('models.useForOf', { name })}>
          {t('models.useFor')}
          <ChevronDown size={12} aria-hidden="true" />
        </Button>
      }
    >
      <MenuHeading>{t('models.useForOn', { backend: backendName(backend, t) })}</MenuHeading>
      {[...chosen].map(([key, categories]) => {
        const { value, source, env } = settings[key];
        const used = value === name;
        const category = categories[0];
        return (
          <MenuChoice
            key={key}
            checked={used}
            blocked={source === 'environment' ? t('settings.envHint', { name: env ?? key }) : null}
            onSelect={() =>
              category && void perform('modelUse', { backend, category, name: used ? null : name })
            }
          >
            {words(categories)}
          </MenuChoice>
        );
      })}
      {others.length > 0 && (
        <MenuChoice
          checked={false}
          blocked={t(chosen.size > 0 ? 'models.useForLight' : 'models.useForFile')}
          onSelect={() => {}}
        >
          {words(others)}
        </MenuChoice>
      )}
    </Menu>
  );
}

/** One setting may serve several categories; `others` have none. */
function bySetting(choices: ModelChoices) {
  const chosen = new Map<ModelSetting, Category[]>();
  const others: Category[] = [];
  for (const category of CATEGORIES) {
    const key = choices[category];
    if (key === undefined) others.push(category);
    else chosen.set(key, [...(chosen.get(key) ?? []), category]);
  }
  return { chosen, others };
}
