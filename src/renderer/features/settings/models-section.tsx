import { useTranslation } from 'react-i18next';
import type { BackendId } from '../../../shared/domain';
import { shortModel } from '../../components/backend-words';
import { BoltIcon, StackIcon } from '../../components/icons';
import { ModelSuggestions } from '../../components/model-suggestions';
import { Select } from '../../components/select';
import { useFormat } from '../../i18n/use-format';
import { usePart } from '../../stores/core-store';
import { Section, SettingRow } from './setting-row';
import { useSetting } from './use-setting';

const ROWS = [
  { key: 'mlxModelFast', backend: 'mlx', category: 'modelFast' },
  { key: 'ollamaModelGeneral', backend: 'ollama', category: 'modelGeneral' },
  { key: 'ollamaModelCoding', backend: 'ollama', category: 'modelCoding' },
  { key: 'ollamaModelReasoning', backend: 'ollama', category: 'modelReasoning' },
] as const;

/** Which model does what, and models to get. */
export function ModelsSection() {
  const { t } = useTranslation();
  const suggestions = usePart('suggestions') ?? [];
  const pulls = usePart('pulls') ?? [];
  return (
    <Section title={t('settings.sections.models')} hint={t('settings.bestHint')}>
      {ROWS.map((row) => (
        <ModelRow key={row.key} row={row} />
      ))}
      {suggestions.length + pulls.length > 0 && (
        <div className="p-3.5">
          <ModelSuggestions />
        </div>
      )}
    </Section>
  );
}

function ModelRow({ row }: { row: (typeof ROWS)[number] }) {
  const { t } = useTranslation();
  const setting = useSetting(row.key);
  const options = useModelOptions(row.backend, setting?.value ?? null);
  const name = t(`settings.${row.category}`);
  const Icon = row.backend === 'mlx' ? BoltIcon : StackIcon;
  const backend = t(`backend.${row.backend}`);
  return (
    <SettingRow
      setting={setting}
      title={name}
      control={({ setting: { value, set }, ...rest }) => (
        <>
          <span
            title={backend}
            className={`inline-flex items-center gap-1 text-small ${row.backend === 'mlx' ? 'text-mlx' : 'text-ollama'}`}
          >
            <Icon />
            <span className="sr-only">{backend}</span>
          </span>
          <Select
            value={value ?? ''}
            label={t('settings.modelOn', { category: name, backend })}
            options={options}
            onChange={(next) => set(next === '' ? null : next)}
            {...rest}
          />
        </>
      )}
    />
  );
}

/** Installed models of a server, “best installed” first; a chosen one that is gone stays visible as missing. */
function useModelOptions(backend: BackendId, chosen: string | null) {
  const { t } = useTranslation();
  const format = useFormat();
  const models = (usePart('models') ?? []).filter((model) => model.backend === backend && !model.remote);
  const options = models.map((model) => {
    const facts = [shortModel(model.name)];
    if (model.starter) facts.push(t('settings.starterMark'));
    else if (model.sizeBytes !== null) facts.push(format.fileSize(model.sizeBytes));
    return { value: model.name, label: facts.join(' · ') };
  });
  if (chosen !== null && !models.some((model) => model.name === chosen)) {
    options.unshift({ value: chosen, label: t('settings.missing', { name: shortModel(chosen) }) });
  }
  return [{ value: '', label: t('settings.best') }, ...options];
}
