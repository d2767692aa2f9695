import { useTranslation } from 'react-i18next';
import { CopyButton } from '../../components/copy-button';
import { usePart } from '../../stores/core-store';
import { Section } from './setting-row';

/** Addresses for other programs, with a command to try them. */
export function GatewaySection() {
  const { t } = useTranslation();
  const app = usePart('app');
  if (!app) return null;
  const url = app.gatewayUrl ?? app.mlxApiUrl;
  return (
    <Section title={t('settings.sections.gateway')} hint={t('settings.gatewayHint')}>
      <Address name={t('settings.gateway')} url={app.gatewayUrl} />
      <Address name={t('settings.mlxApi')} url={app.mlxApiUrl} />
      {url !== null && <Example url={url} />}
    </Section>
  );
}

function Address({ name, url }: { name: string; url: string | null }) {
  const { t } = useTranslation();
  return (
    <div className="flex min-h-11 flex-wrap items-center gap-x-2 px-3.5 py-1.5">
      <span className="grow">{name}</span>
      {url === null ? (
        <span className="text-ink-3 text-small">{t('settings.notListening')}</span>
      ) : (
        <>
          <code className="min-w-0 select-text truncate font-mono text-ink-2 text-small">{url}</code>
          <CopyButton text={() => url} label={t('settings.copyAddress', { name })} />
        </>
      )}
    </div>
  );
}

function Example({ url }: { url: string }) {
  const { t } = useTranslation();
  const command = `curl ${url}/api/chat -d '{\n  "model": "auto",\n  "messages": [{"role": "user", "content": "hello"}]\n}'`;
  return (
    <div className="px-3.5 py-2.5">
      <div className="flex items-center justify-between">
        <p className="text-ink-2 text-small">{t('settings.example')}</p>
        <CopyButton text={() => command} label={t('chat.copyCode')} />
      </div>
      <pre className="mt-1 select-text overflow-x-auto rounded-control bg-fill px-2.5 py-2 font-mono text-mini leading-[1.5]">
        {command}
      </pre>
    </div>
  );
}
