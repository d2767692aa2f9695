import { useRef } from 'react';
import { useTranslation } from 'react-i18next';
import type { BackendInstance, BackendRole } from '../../../shared/domain';
import type { SettingKey } from '../../../shared/settings';
import { shortModel } from '../../components/backend-words';
import { useFirstOf, useLooks } from '../../components/backends';
import { Button } from '../../components/button';
import { Section } from '../../components/section';
import { Select } from '../../components/select';
import { Switch } from '../../components/switch';
import { useWantedPart } from '../../components/use-wanted-part';
import { useFormat } from '../../i18n/use-format';
import { openChat } from '../../stores/chat-store';
import { usePart } from '../../stores/core-store';
import { perform } from '../../stores/request';
import { showView } from '../../stores/ui-store';
import { FoldersRow } from './folders-row';
import { SettingRow } from './setting-row';
import { SwitchRow } from './setting-rows';
import { useSetting } from './use-setting';

interface Row {
  key: ModelSettingKey;
  category: 'modelFast' | 'modelGeneral' | 'modelCoding' | 'modelReasoning' | 'modelDefault';
}

type ModelSettingKey = Extract<
  SettingKey,
  `${string}Model${'Fast' | 'Coding' | 'Reasoning' | 'Default' | 'General'}`
>;

const LIGHT_FAST: Row[] = [{ key: 'mlxModelFast', category: 'modelFast' }];
/** Only useful while heavy models may load on the light server. */
const LIGHT_HEAVY: Row[] = [
  { key: 'mlxModelCoding', category: 'modelCoding' },
  { key: 'mlxModelReasoning', category: 'modelReasoning' },
  { key: 'mlxModelDefault', category: 'modelDefault' },
];
const HEAVY: Row[] = [
  { key: 'ollamaModelGeneral', category: 'modelGeneral' },
  { key: 'ollamaModelCoding', category: 'modelCoding' },
  { key: 'ollamaModelReasoning', category: 'modelReasoning' },
  { key: 'ollamaModelFast', category: 'modelFast' },
];

/** Which model does what, which folders are scanned, and the way back to the first start. */
export function ModelsSection() {
  const { t } = useTranslation();
  const onlyLight = usePart('settings')?.mlxOnlyLight?.value !== false;
  return (
    <Section title={t('settings.sections.models')} hint={t('settings.bestHint')}>
      <Models of="light" rows={onlyLight ? LIGHT_FAST : [...LIGHT_FAST, ...LIGHT_HEAVY]} />
      <Models of="heavy" rows={HEAVY} />
      <SmallModelRow />
      <AdoptedRow />
      <FoldersRow />
      <FirstStartRow />
    </Section>
  );
}

/** The models of the first server with a role, under its name. */
function Models({ of, rows }: { of: BackendRole; rows: readonly Row[] }) {
  const { t } = useTranslation();
  const backend = useFirstOf(of);
  const lookOf = useLooks();
  if (!backend) return null;
  const { Icon, text } = lookOf(backend.id);
  return (
    <div className="pt-2 pb-1">
      <h3 className={`flex items-center gap-1.5 px-3.5 font-[600] text-small ${text}`}>
        <Icon />
        {t('settings.modelsOn', { backend: backend.title })}
      </h3>
      {rows.map((row) => (
        <ModelRow key={row.key} row={row} backend={backend} />
      ))}
    </div>
  );
}

function ModelRow({ row, backend }: { row: Row; backend: BackendInstance }) {
  const { t } = useTranslation();
  const setting = useSetting(row.key);
  const options = useModelOptions(backend.id, setting?.value ?? null);
  const name = t(`settings.${row.category}`);
  return (
    <SettingRow
      setting={setting}
      title={name}
      compact
      control={({ setting: { value, set }, ...rest }) => (
        <Select
          value={value ?? ''}
          label={t('settings.modelOn', { category: name, backend: backend.title })}
          options={options}
          onChange={(next) => set(next === '' ? null : next)}
          {...rest}
        />
      )}
    />
  );
}

/** The built-in model: off removes it, on downloads it again. */
function SmallModelRow() {
  const { t } = useTranslation();
  const control = useRef<HTMLButtonElement>(null);
  useWantedPart('small-model', control);
  return (
    <SettingRow
      setting={useSetting('smallModel')}
      title={t('settings.smallModel')}
      hint={t('settings.smallModelHint')}
      control={({ setting: { value, set }, ...rest }) => (
        <Switch ref={control} checked={value} onChange={set} label={t('settings.smallModel')} {...rest} />
      )}
    />
  );
}

/** Shows the first-start screen again. */
function FirstStartRow() {
  const { t } = useTranslation();
  const show = async () => {
    if (!(await perform('firstStartDone', { done: false }))) return;
    void openChat(null);
    showView('chat');
  };
  return (
    <div className="flex flex-wrap items-center justify-end gap-x-3 gap-y-1.5 px-3.5 py-2.5">
      <div className="min-w-[min(120px,100%)] flex-1">
        <p>{t('firstStart.row')}</p>
        <p className="text-ink-2 text-small leading-[1.4]">{t('firstStart.rowHint')}</p>
      </div>
      <Button aria-label={t('firstStart.again')} onClick={() => void show()}>
        {t('firstStart.rowShow')}
      </Button>
    </div>
  );
}

/** Consent to put the small model into an Ollama that Tandem does not own; no effect on one that it owns. */
function AdoptedRow() {
  const { t } = useTranslation();
  const host = useFirstOf('heavy')?.id;
  const adopted = usePart('backends')?.some(({ id, ownership }) => id === host && ownership === 'adopted');
  const wanted = usePart('settings')?.smallModel?.value !== false;
  if (!adopted || !wanted) return null;
  return (
    <SwitchRow
      of="smallModelInAdopted"
      title={t('settings.smallAdopted')}
      hint={t('settings.smallAdoptedHint')}
    />
  );
}

/** Installed models of a server, “best installed” first; a selected model that is gone stays visible as missing. */
function useModelOptions(backend: BackendInstance['id'], chosen: string | null) {
  const { t } = useTranslation();
  const format = useFormat();
  const models = (usePart('models') ?? []).filter(
    (model) => model.backend === backend && !model.remote && model.broken === null,
  );
  const options = models.map((model) => {
    const facts = [shortModel(model.name)];
    if (model.small) facts.push(t('settings.smallMark'));
    else if (model.sizeBytes !== null) facts.push(format.fileSize(model.sizeBytes));
    if (model.fit === 'tight') facts.push(t('models.tight'));
    if (model.fit === 'no') facts.push(t('models.tooLarge'));
    return { value: model.name, label: facts.join(' · ') };
  });
  if (chosen !== null && !models.some((model) => model.name === chosen)) {
    options.unshift({ value: chosen, label: t('settings.missing', { name: shortModel(chosen) }) });
  }
  return [{ value: '', label: t('settings.best') }, ...options];
}
