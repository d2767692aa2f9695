import { ChevronDown, Sparkles } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import type { Target } from '../../../shared/chat';
import type { ModelView } from '../../../shared/models';
import { shortModel } from '../../components/backend-words';
import { useInstances, useLooks } from '../../components/backends';
import { Menu, MenuChoice, MenuHeading } from '../../components/menu';
import { backendName } from '../../i18n/backend-name';
import { setTarget, useChat } from '../../stores/chat-store';
import { usePart } from '../../stores/core-store';

const HINTS = {
  light: 'chat.targetLightHint',
  heavy: 'chat.targetHeavyHint',
  cloud: 'chat.targetCloudHint',
} as const;

function TargetIcon({ target }: { target: Target }) {
  const lookOf = useLooks();
  if (target.kind === 'auto') return <Sparkles size={12} aria-hidden="true" className="text-ink-2" />;
  const { Icon, text } = lookOf(target.backend);
  return <Icon className={text} />;
}

/** Selectable: on this machine, complete, made for chat. An old server does not report capabilities. */
function isChoice({ remote, broken, capabilities }: ModelView): boolean {
  return !remote && broken === null && (capabilities.length === 0 || capabilities.includes('completion'));
}

/** Who should answer the next message: automatic, one server, or one model. */
export function TargetMenu() {
  const { t } = useTranslation();
  const target = useChat((state) => state.target);
  const instances = useInstances();
  const models = (usePart('models') ?? []).filter(isChoice);
  const name =
    target.kind === 'auto'
      ? t('chat.targetAuto')
      : target.kind === 'backend'
        ? backendName(target.backend, t)
        : shortModel(target.model);
  const choose = (next: Target) => () => setTarget(next);
  return (
    <Menu
      side="top"
      align="start"
      trigger={
        <button
          type="button"
          aria-label={`${t('chat.target')}: ${name}`}
          className="inline-flex h-7 min-w-0 items-center gap-1.5 rounded-control px-2 text-ink-2 text-small hover:bg-hover hover:text-ink data-[state=open]:bg-fill"
        >
          <TargetIcon target={target} />
          <span className="truncate">{name}</span>
          <ChevronDown size={12} aria-hidden="true" className="shrink-0" />
        </button>
      }
    >
      <MenuChoice checked={target.kind === 'auto'} onSelect={choose({ kind: 'auto' })}>
        <TargetIcon target={{ kind: 'auto' }} />
        <Words title={t('chat.targetAuto')} hint={t('chat.targetAutoHint')} />
      </MenuChoice>
      {instances.map(({ id: backend, role }) => (
        <MenuChoice
          key={backend}
          checked={target.kind === 'backend' && target.backend === backend}
          onSelect={choose({ kind: 'backend', backend })}
        >
          <TargetIcon target={{ kind: 'backend', backend }} />
          <Words title={backendName(backend, t)} hint={t(HINTS[role])} />
        </MenuChoice>
      ))}
      {models.length > 0 && <MenuHeading>{t('chat.targetModels')}</MenuHeading>}
      {models.map(({ backend, name: model }) => (
        <MenuChoice
          key={`${backend}/${model}`}
          checked={target.kind === 'model' && target.backend === backend && target.model === model}
          onSelect={choose({ kind: 'model', backend, model })}
        >
          <TargetIcon target={{ kind: 'backend', backend }} />
          <span className="truncate" title={model}>
            {shortModel(model)}
          </span>
        </MenuChoice>
      ))}
    </Menu>
  );
}

function Words({ title, hint }: { title: string; hint: string }) {
  return (
    <span className="min-w-0">
      <span className="block font-[550]">{title}</span>
      <span className="block text-ink-3 text-mini">{hint}</span>
    </span>
  );
}
