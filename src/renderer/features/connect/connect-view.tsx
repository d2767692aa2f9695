import { useTranslation } from 'react-i18next';
import { CopyButton } from '../../components/copy-button';
import { Section } from '../../components/section';
import { usePart } from '../../stores/core-store';
import { SNIPPETS } from './snippets';

/** Addresses for other programs, with commands to try them. */
export function ConnectView() {
  const { t } = useTranslation();
  const app = usePart('app');
  const url = app?.gatewayUrl ?? app?.mlxApiUrl ?? null;
  return (
    <main tabIndex={-1} aria-label={t('connect.title')} className="min-h-0 min-w-0 flex-1 overflow-y-auto">
      <div className="mx-auto grid max-w-[640px] grid-cols-[minmax(0,1fr)] gap-5 p-3.5 pb-6 min-[960px]:py-6">
        {app ? (
          <>
            <Section title={t('connect.addresses')} hint={t('connect.hint')}>
              <Address name={t('connect.gateway')} use={t('connect.gatewayUse')} url={app.gatewayUrl} />
              <Address name={t('connect.mlxApi')} use={t('connect.mlxApiUse')} url={app.mlxApiUrl} />
            </Section>
            {url !== null && (
              <Section title={t('connect.try')}>
                {SNIPPETS.map(({ id, command }) => (
                  <Snippet key={id} title={t(`connect.snippets.${id}`)} command={command(url)} />
                ))}
              </Section>
            )}
          </>
        ) : (
          <span role="status" aria-label={t('common.loading')} className="skeleton h-40 !rounded-card" />
        )}
      </div>
    </main>
  );
}

function Address({ name, use, url }: { name: string; use: string; url: string | null }) {
  const { t } = useTranslation();
  return (
    <div className="px-3.5 py-2.5">
      <div className="flex min-h-6 flex-wrap items-center gap-x-2">
        <span className="grow">{name}</span>
        {url === null ? (
          <span className="text-ink-3 text-small">{t('connect.notListening')}</span>
        ) : (
          <>
            <code className="min-w-0 select-text truncate font-mono text-ink-2 text-small">{url}</code>
            <CopyButton text={() => url} label={t('connect.copyAddress', { name })} />
          </>
        )}
      </div>
      <p className="text-ink-2 text-small">{use}</p>
    </div>
  );
}

function Snippet({ title, command }: { title: string; command: string }) {
  const { t } = useTranslation();
  return (
    <div className="px-3.5 py-2.5">
      <div className="flex items-center justify-between gap-2">
        <p className="text-ink-2 text-small">{title}</p>
        <CopyButton text={() => command} label={t('connect.copyCommand', { title })} />
      </div>
      <pre className="mt-1 select-text overflow-x-auto rounded-control bg-fill px-2.5 py-2 font-mono text-mini leading-[1.5]">
        {command}
      </pre>
    </div>
  );
}
