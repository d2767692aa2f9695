import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { canChat } from '../../../shared/domain';
import type { ModelView } from '../../../shared/models';
import { Button } from '../../components/button';
import { usePart } from '../../stores/core-store';
import { perform } from '../../stores/request';
import { showPart } from '../../stores/ui-store';
import { UseForMenu } from './use-for-menu';

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
function LoadButton({ model }: { model: ModelView }) {
  const { backend, name, load, broken, remote } = model;
  const { t } = useTranslation();
  const [busy, setBusy] = useState(false);
  // A load is a request to chat.
  if (broken !== null || remote || (load === 'none' && !canChat(model))) return null;
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
