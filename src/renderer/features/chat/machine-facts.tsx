import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { FirstStart } from '../../../shared/models';
import { FactLine } from '../../components/fact-line';
import { useFormat } from '../../i18n/use-format';

/** This machine, and the models that were here before. */
export function MachineFacts({ firstStart: { machine, found } }: { firstStart: FirstStart }) {
  const { t } = useTranslation();
  const format = useFormat();
  const hardware = [
    machine.chip,
    machine.totalBytes === null ? null : t('firstStart.memory', { size: format.memory(machine.totalBytes) }),
    machine.gpuBytes === null ? null : t('firstStart.gpu', { size: format.memory(machine.gpuBytes) }),
  ];
  const places = found.map(({ place, models }) =>
    t('firstStart.foundIn', { place: t(`firstStart.places.${place}`), count: models }),
  );
  return (
    <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-3 gap-y-0.5 text-small leading-[1.4]">
      <Fact name={t('firstStart.machine')}>
        <FactLine facts={hardware.filter((words) => words !== null)} />
      </Fact>
      <Fact name={t('firstStart.found')}>
        <FactLine facts={places.length === 0 ? [t('firstStart.foundNone')] : places} />
      </Fact>
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt className="text-ink-3">{name}</dt>
      <dd className="min-w-0">{children}</dd>
    </>
  );
}
