import { ChevronRight } from 'lucide-react';
import { type ReactNode, useId } from 'react';
import { useTranslation } from 'react-i18next';
import type { ModelView } from '../../../shared/models';
import { type MarkShape, shortModel } from '../../components/backend-words';
import { cx } from '../../components/cx';
import { FactLine } from '../../components/fact-line';
import { Mark } from '../../components/mark';
import { useFormat } from '../../i18n/use-format';
import { ModelBody } from './model-body';
import { brokenWords, modelFacts } from './model-words';

interface ModelRowProps {
  model: ModelView;
  open: boolean;
  onToggle: () => void;
}

const FIT_INK = { yes: 'text-ink-2', tight: 'text-warn-text', no: 'text-bad-text' };

function markOfModel({ load, broken }: ModelView): MarkShape {
  if (broken !== null) return 'trouble';
  if (load === 'none') return 'off';
  return load === 'loaded' ? 'ready' : 'working';
}

/** A model in two lines; opened, with everything that is known and can be done. */
export function ModelRow({ model, open, onToggle }: ModelRowProps) {
  const { t } = useTranslation();
  const format = useFormat();
  const region = useId();
  const { name, sizeBytes, usedFor, broken, fit } = model;
  const facts: ReactNode[] = modelFacts(model, t, format);
  if (fit !== 'unknown' && broken === null)
    facts.push(<span className={FIT_INK[fit]}>{t(`models.fit.${fit}`)}</span>);
  const uses = usedFor.map((category) => t(`models.categories.${category}`)).join(', ');
  return (
    <li data-testid="model-row" data-model={name} data-backend={model.backend}>
      <button
        type="button"
        aria-expanded={open}
        aria-controls={region}
        onClick={onToggle}
        className="flex w-full items-start gap-2 px-3 py-2 text-left hover:bg-hover"
      >
        <span className="flex h-5 items-center">
          <Mark shape={markOfModel(model)} />
        </span>
        <span className="min-w-0 grow">
          <span className="flex items-baseline gap-2">
            <b className="min-w-0 grow truncate font-[600]" title={name}>
              {shortModel(name)}
            </b>
            {sizeBytes !== null && (
              <span className="shrink-0 text-ink-2 text-small tabular-nums">
                {format.fileSize(sizeBytes)}
              </span>
            )}
          </span>
          <span className="block text-ink-2 text-small">
            <FactLine facts={facts} />
          </span>
          {broken !== null && (
            <span className="block text-small text-warn-text">{brokenWords(broken, t)}</span>
          )}
          {uses !== '' && (
            <span className="block text-ink-3 text-small">{t('models.usedFor', { uses })}</span>
          )}
        </span>
        <ChevronRight
          size={13}
          aria-hidden="true"
          className={cx('mt-1 shrink-0 text-ink-3 transition-transform duration-100', open && 'rotate-90')}
        />
      </button>
      <div
        id={region}
        hidden={!open}
        className="grid grid-cols-[minmax(0,1fr)] gap-3 border-line border-t bg-bg/50 px-3 py-3"
      >
        {open && <ModelBody model={model} />}
      </div>
    </li>
  );
}
