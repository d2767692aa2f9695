import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Ledger } from '../../../shared/status';
import { useLooks } from '../../components/backends';
import { cx } from '../../components/cx';
import { backendName } from '../../i18n/backend-name';
import { useFormat } from '../../i18n/use-format';
import type { LedgerView } from './ledger-parts';

const ROW = 'flex flex-wrap gap-x-3.5 gap-y-0.5 text-small tabular-nums';

/** What the colours and marks of the bar mean, in bytes. Figures without a source are labelled unknown. */
export function LedgerLegend({ view, ledger }: { view: LedgerView; ledger: Ledger | null }) {
  const { t } = useTranslation();
  const format = useFormat();
  const lookOf = useLooks();
  const size = (bytes: number | null) => (bytes === null ? t('ledger.unknown') : format.memory(bytes));
  return (
    <>
      <ul className={cx(ROW, 'text-ink-2')}>
        <Swatch tone="bg-system">
          {t('status.system')} {size(view.systemBytes)}
        </Swatch>
        {view.held.map(({ backend, bytes }) => (
          <Swatch key={backend} tone={lookOf(backend).bar}>
            {backendName(backend, t)} {size(bytes)}
          </Swatch>
        ))}
        {view.promisedBytes > 0 && (
          <Swatch tone="bg-ink-3 hatched">{t('ledger.promised', { size: size(view.promisedBytes) })}</Swatch>
        )}
      </ul>
      {ledger !== null && (
        <ul aria-label={t('ledger.limits')} className={cx(ROW, 'mt-0.5 text-ink-3')}>
          <Stroke tone="bg-ink">{t('ledger.gpu', { size: size(ledger.workingSetBytes) })}</Stroke>
          <Stroke tone="bg-warn">{t('ledger.warning', { size: size(ledger.warningBytes) })}</Stroke>
          <Stroke tone="bg-bad">{t('ledger.critical', { size: size(ledger.criticalBytes) })}</Stroke>
        </ul>
      )}
    </>
  );
}

function Swatch({ tone, children }: { tone: string; children: ReactNode }) {
  return (
    <li className="flex items-center gap-1.5">
      <span aria-hidden="true" className={cx('size-2 rounded-[2px]', tone)} />
      <span>{children}</span>
    </li>
  );
}

function Stroke({ tone, children }: { tone: string; children: ReactNode }) {
  return (
    <li className="flex items-center gap-1.5">
      <span aria-hidden="true" className="grid w-2 place-items-center">
        <span className={cx('h-2.5 w-[2px] rounded-full', tone)} />
      </span>
      <span>{children}</span>
    </li>
  );
}
