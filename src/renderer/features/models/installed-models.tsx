import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { ModelView } from '../../../shared/models';
import { useInstances, useLooks } from '../../components/backends';
import { Button } from '../../components/button';
import { SearchInput } from '../../components/search-input';
import { backendName } from '../../i18n/backend-name';
import { useFormat } from '../../i18n/use-format';
import { usePart } from '../../stores/core-store';
import { perform } from '../../stores/request';
import { showPart, showToast } from '../../stores/ui-store';
import { FreeMemory } from './free-memory';
import { ModelRow } from './model-row';
import { isHit } from './model-words';

/** Every installed model of every server, searchable, in groups by server. */
export function InstalledModels() {
  const { t } = useTranslation();
  const [query, setQuery] = useState('');
  const models = usePart('models');
  if (models === undefined) return <Skeleton />;
  if (models.length === 0) return <NoModels />;
  const found = models.filter((model) => isHit(model, query, t));
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-4">
      <SearchInput query={query} onQuery={setQuery} label={t('models.search')} part="model-search" />
      <FreeMemory models={models} />
      {found.length === 0 && (
        <p className="px-1 text-ink-3 text-small">{t('models.noHits', { query: query.trim() })}</p>
      )}
      <Groups models={found} />
      <LookAgain />
    </div>
  );
}

function Groups({ models }: { models: readonly ModelView[] }) {
  const [open, setOpen] = useState<string | null>(null);
  const byBackend = Map.groupBy(models, ({ backend }) => backend);
  const known = useInstances().map(({ id }) => id);
  // A server that is switched off has no instance, but its models are still on disk.
  const others = [...byBackend.keys()].filter((id) => !known.includes(id));
  return [...known, ...others].map((backend) => {
    const members = byBackend.get(backend);
    if (!members) return null;
    return (
      <Group key={backend} backend={backend} models={members}>
        {(model) => {
          const key = `${backend}/${model.name}`;
          return (
            <ModelRow
              key={key}
              model={model}
              open={open === key}
              onToggle={() => setOpen(open === key ? null : key)}
            />
          );
        }}
      </Group>
    );
  });
}

interface GroupProps {
  backend: string;
  models: readonly ModelView[];
  children: (model: ModelView) => ReactNode;
}

/** The models of one server under its name, with their number and size. */
function Group({ backend, models, children }: GroupProps) {
  const { t } = useTranslation();
  const format = useFormat();
  const { Icon, text } = useLooks()(backend);
  const bytes = models.reduce((total, { sizeBytes }) => total + (sizeBytes ?? 0), 0);
  const name = backendName(backend, t);
  return (
    <section aria-label={t('models.of', { backend: name })}>
      <h2 className="flex items-center gap-1.5 px-1 pb-1.5 text-small">
        <span className={`flex items-center gap-1.5 font-[600] ${text}`}>
          <Icon />
          {name}
        </span>
        <span className="text-ink-3">
          {[t('models.count', { count: models.length }), format.fileSize(bytes)].join(t('common.separator'))}
        </span>
      </h2>
      <ul className="divide-y divide-line overflow-hidden rounded-card border border-line bg-card">
        {models.map(children)}
      </ul>
    </section>
  );
}

/** Where Tandem looks for models, and the button that looks again. */
function LookAgain() {
  const { t } = useTranslation();
  const rescan = async () => {
    if (await perform('modelsRescan', {})) showToast({ text: t('models.rescanned') });
  };
  return (
    <p className="px-1 text-ink-3 text-small">
      {t('models.found')}{' '}
      <button
        type="button"
        onClick={() => void rescan()}
        className="min-h-6 rounded-badge font-[550] text-accent-text hover:underline"
      >
        {t('models.rescan')}
      </button>
    </p>
  );
}

function NoModels() {
  const { t } = useTranslation();
  return (
    <div className="grid justify-items-center gap-2 px-4 py-10 text-center">
      <h2 className="font-[650] text-title">{t('models.none')}</h2>
      <p className="max-w-[340px] text-balance text-ink-2">{t('models.noneHint')}</p>
      <Button tone="accent" onClick={() => showPart('model-get')}>
        {t('models.tab.get')}
      </Button>
      <LookAgain />
    </div>
  );
}

function Skeleton() {
  const { t } = useTranslation();
  return (
    <div role="status" aria-label={t('common.loading')} className="grid gap-3">
      <span className="skeleton h-[30px]" />
      <span className="skeleton h-28 !rounded-card" />
      <span className="skeleton h-44 !rounded-card" />
    </div>
  );
}
