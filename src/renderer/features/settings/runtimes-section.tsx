import { useCallback, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Runtime } from '../../../shared/contract';
import { SMALL_MODEL_RUNTIME } from '../../../shared/domain';
import { Button } from '../../components/button';
import { Section } from '../../components/section';
import { useFormat } from '../../i18n/use-format';
import { perform, request } from '../../stores/request';
import { showToast } from '../../stores/ui-store';
import { useSetting } from './use-setting';

/** Runtimes that Tandem installed, with their size on disk. Removal asks for confirmation in place. */
export function RuntimesSection() {
  const { t } = useTranslation();
  const [runtimes, setRuntimes] = useState<readonly Runtime[] | 'failed' | null>(null);
  const load = useCallback(async () => {
    const outcome = await request('runtimesList', {});
    setRuntimes(outcome.ok ? outcome.value.runtimes : 'failed');
  }, []);
  useEffect(() => void load(), [load]);
  const words = runtimes === 'failed' ? t('settings.runtimesFailed') : t('settings.runtimesEmpty');
  return (
    <Section title={t('settings.sections.runtimes')} hint={t('settings.runtimesHint')}>
      {runtimes === null && <div className="skeleton m-3.5 h-5" />}
      {(runtimes === 'failed' || runtimes?.length === 0) && (
        <p className="px-3.5 py-2.5 text-ink-2">{words}</p>
      )}
      {Array.isArray(runtimes) &&
        runtimes.map((runtime) => (
          <RuntimeRow key={`${runtime.name}-${runtime.version}`} runtime={runtime} onRemoved={load} />
        ))}
      <SmallModelGone onGet={load} />
    </Section>
  );
}

/** A small model that the user removed can be downloaded again. */
function SmallModelGone({ onGet }: { onGet: () => void }) {
  const { t } = useTranslation();
  const setting = useSetting('smallModel');
  if (setting?.value !== false) return null;
  const get = async () => {
    if (await perform('settingsSet', { key: 'smallModel', value: true })) onGet();
  };
  return (
    <div className="flex min-h-12 flex-wrap items-center gap-x-3 gap-y-1 px-3.5 py-2">
      <div className="min-w-0 grow">
        <p>{t('status.setupModel')}</p>
        <p className="text-ink-2 text-small">{t('settings.smallModelRemoved')}</p>
      </div>
      <Button onClick={() => void get()}>{t('settings.smallModelGet')}</Button>
    </div>
  );
}

function RuntimeRow({ runtime, onRemoved }: { runtime: Runtime; onRemoved: () => void }) {
  const { t } = useTranslation();
  const format = useFormat();
  const [sure, setSure] = useState(false);
  const { name, version } = runtime;
  const isModel = name === SMALL_MODEL_RUNTIME;
  const remove = async () => {
    setSure(false);
    const removed = isModel ? perform('removeSmallModel', {}) : perform('runtimesRemove', { name, version });
    if (!(await removed)) return;
    showToast({ text: t('settings.removed', { name, version }) });
    onRemoved();
  };
  return (
    <div className="flex min-h-12 flex-wrap items-center gap-x-3 gap-y-1 px-3.5 py-2">
      <div className="min-w-0 grow">
        <p>
          {name} <span className="text-ink-2 tabular-nums">{version}</span>
        </p>
        <p className="text-ink-2 text-small tabular-nums">
          {format.fileSize(runtime.sizeBytes)}
          {runtime.inUse && ` · ${t('settings.inUse')}`}
        </p>
      </div>
      {sure ? (
        <>
          <Button tone="danger" onClick={() => void remove()}>
            {t('settings.removeSure')}
          </Button>
          <Button onClick={() => setSure(false)}>{t('common.cancel')}</Button>
        </>
      ) : (
        <Button
          // A server that is in use cannot be removed; a model can.
          disabled={runtime.inUse && !isModel}
          aria-label={t('settings.removeOf', { name, version })}
          onClick={() => setSure(true)}
        >
          {t('common.remove')}
        </Button>
      )}
    </div>
  );
}
