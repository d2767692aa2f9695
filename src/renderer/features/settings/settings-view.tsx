import { useTranslation } from 'react-i18next';
import { usePart } from '../../stores/core-store';
import { AdvancedSection } from './advanced-section';
import { AppSection } from './app-section';
import { DataSection } from './data-section';
import { LimitsSection } from './limits-section';
import { MlxSection } from './mlx-section';
import { ModelsSection } from './models-section';
import { RoutingSection } from './routing-section';
import { RuntimesSection } from './runtimes-section';

/** All settings, each with its consequence. */
export function SettingsPage() {
  const { t } = useTranslation();
  const ready = usePart('settings') !== undefined;
  return (
    <main tabIndex={-1} aria-label={t('settings.title')} className="min-h-0 min-w-0 flex-1 overflow-y-auto">
      <div className="mx-auto grid max-w-[640px] grid-cols-[minmax(0,1fr)] gap-5 p-3.5 pb-6 min-[960px]:py-6">
        {ready ? (
          <>
            <MlxSection />
            <RoutingSection />
            <ModelsSection />
            <LimitsSection />
            <AppSection />
            <RuntimesSection />
            <DataSection />
            <AdvancedSection />
          </>
        ) : (
          <span role="status" aria-label={t('common.loading')} className="skeleton h-40 !rounded-card" />
        )}
      </div>
    </main>
  );
}
