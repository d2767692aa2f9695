import { Tabs } from 'radix-ui';
import { useTranslation } from 'react-i18next';
import { type ModelsTab, setModelsTab, useUi } from '../../stores/ui-store';
import { DownloadsCard } from './downloads-card';
import { GetModels } from './get-models';
import { InstalledModels } from './installed-models';

const TABS = ['installed', 'get'] as const satisfies readonly ModelsTab[];

/** All models: those that are here, those that are on their way, and those that one can get. */
export function ModelsView() {
  const { t } = useTranslation();
  const tab = useUi((state) => state.modelsTab);
  return (
    <main tabIndex={-1} aria-label={t('models.title')} className="min-h-0 min-w-0 flex-1 overflow-y-auto">
      <Tabs.Root
        value={tab}
        onValueChange={(value) => setModelsTab(TABS.find((candidate) => candidate === value) ?? 'installed')}
        className="mx-auto grid max-w-[720px] grid-cols-[minmax(0,1fr)] gap-3 p-3.5 pb-6 min-[960px]:pt-6"
      >
        <Tabs.List aria-label={t('models.tabs')} className="flex gap-0.5 rounded-control bg-fill p-0.5">
          {TABS.map((value) => (
            <Tabs.Trigger
              key={value}
              value={value}
              data-testid={`tab-${value}`}
              className="min-h-7 flex-1 rounded-badge px-2 font-[550] text-ink-2 text-small data-[state=active]:bg-accent-soft data-[state=active]:text-accent-text"
            >
              {t(`models.tab.${value}`)}
            </Tabs.Trigger>
          ))}
        </Tabs.List>
        <DownloadsCard />
        <Tabs.Content value="installed" tabIndex={-1}>
          <InstalledModels />
        </Tabs.Content>
        <Tabs.Content value="get" tabIndex={-1}>
          <GetModels />
        </Tabs.Content>
      </Tabs.Root>
    </main>
  );
}
