import { useTranslation } from 'react-i18next';
import { CopyButton } from '../../components/copy-button';
import { Section } from '../../components/section';
import { usePart } from '../../stores/core-store';

/** Where data is stored, and the version. */
export function DataSection() {
  const { t } = useTranslation();
  const app = usePart('app');
  if (!app) return null;
  return (
    <Section title={t('settings.sections.data')} hint={t('settings.version', { version: app.version })}>
      <div className="px-3.5 py-2.5">
        <p>{t('settings.dataFolder')}</p>
        <p className="text-ink-2 text-small">{t('settings.dataHint')}</p>
        <div className="mt-1 flex items-center gap-1">
          <code className="min-w-0 select-text font-mono text-ink-2 text-mini [overflow-wrap:anywhere]">
            {app.dataDir}
          </code>
          <CopyButton
            text={() => app.dataDir}
            label={t('settings.copyPath', { name: t('settings.dataFolder') })}
          />
        </div>
      </div>
    </Section>
  );
}
