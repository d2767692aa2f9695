import { ChevronDown } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { CATEGORIES, canChat } from '../../../shared/domain';
import type { ModelView } from '../../../shared/models';
import { Button } from '../../components/button';
import { Menu, MenuChoice } from '../../components/menu';
import { usePart } from '../../stores/core-store';
import { perform } from '../../stores/request';
import { showPart } from '../../stores/ui-store';

/** What can be done with a model. */
export function ModelActions({ model, onDelete }: { model: ModelView; onDelete: () => void }) {
  const { t } = useTranslation();
  const app = usePart('app');
  const { backend, name, hasFolder, small } = model;
  return (
    <div className="flex flex-wrap items-center gap-1.5">
      <LoadButton model={model} />
      {canChat(model) && model.broken === null && <UseForMenu model={model} />}
      {app?.host === 'electron' && hasFolder && (
        <Button onClick={() => void perform('modelReveal', { backend, name })}>
          {t(app.platform === 'darwin' ? 'models.finder' : 'models.fileManager')}
        </Button>
      )}
      {small ? (
        <Button tone="plain" onClick={() => showPart('small-model')}>
          {t('models.smallInSettings')}
        </Button>
      ) : (
        <Button tone="danger" className="ml-auto" onClick={onDelete}>
          {t('models.delete')}
        </Button>
      )}
    </div>
  );
}

/** Loads a model now, or unloads it. */
function LoadButton({ model: { backend, name, load, broken, remote } }: { model: ModelView }) {
  const { t } = useTranslation();
  const [busy, setBusy] = useState(false);
  if (broken !== null || remote) return null;
  const run = async () => {
    setBusy(true);
    await perform(load === 'loaded' ? 'modelUnload' : 'modelLoad', { backend, name });
    setBusy(false);
  };
  const words =
    load === 'loaded' ? 'models.unload' : load === 'loading' || busy ? 'models.loading' : 'models.loadNow';
  return (
    <Button disabled={busy || load === 'loading'} onClick={() => void run()}>
      {t(words)}
    </Button>
  );
}

/** The kinds of work that a model answers, each to be switched on or left to Tandem's choice again. */
function UseForMenu({ model: { backend, name, usedFor } }: { model: ModelView }) {
  const { t } = useTranslation();
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
      {CATEGORIES.map((category) => {
        const used = usedFor.includes(category);
        return (
          <MenuChoice
            key={category}
            checked={used}
            onSelect={() => void perform('modelUse', { backend, category, name: used ? null : name })}
          >
            {t(`models.categories.${category}`)}
          </MenuChoice>
        );
      })}
    </Menu>
  );
}
