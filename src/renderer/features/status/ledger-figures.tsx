import { useTranslation } from 'react-i18next';
import type { Ledger, LedgerEntry } from '../../../shared/status';
import { shortModel } from '../../components/backend-words';
import { Badge } from '../../components/badge';
import { Disclosure } from '../../components/disclosure';
import { useNow } from '../../components/use-now';
import { en } from '../../i18n/en';
import { useFormat } from '../../i18n/use-format';

/** A figure younger than this, ms, counts as current. */
const FRESH_MS = 1_500;

/** Every figure of the ledger with its source and age. */
export function LedgerFigures({ ledger }: { ledger: Ledger }) {
  const { t } = useTranslation();
  return (
    <Disclosure className="mt-1" summary={t('ledger.figures')}>
      <ul className="fade-in mt-0.5 divide-y divide-line">
        {ledger.entries.map((entry, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a ledger may hold two promises for one model
          <Entry key={index} entry={entry} />
        ))}
      </ul>
    </Disclosure>
  );
}

function Entry({ entry }: { entry: LedgerEntry }) {
  const { t } = useTranslation();
  const format = useFormat();
  const now = useNow(1_000);
  const { backend, kind, name, bytes, source, at } = entry;
  const known = Object.hasOwn(en.ledger.sources, source);
  const from = known ? t(`ledger.sources.${source as keyof typeof en.ledger.sources}`) : source;
  const age = now - at;
  const when =
    age < FRESH_MS
      ? t('ledger.now')
      : t('ledger.ago', { time: format.duration(Math.round(age / 1_000) * 1_000) });
  return (
    <li className="flex items-center gap-2 py-1 text-small" title={name ?? undefined}>
      <span className="w-[66px] shrink-0">
        <Badge source={backend} />
      </span>
      <span className="min-w-0 grow leading-tight">
        <span className="block truncate">
          {t(`ledger.kinds.${kind}`)}
          {name !== null && <span className="text-ink-2"> · {shortModel(name)}</span>}
        </span>
        <span className="block truncate text-ink-3 text-mini tabular-nums">
          {from}, {when}
        </span>
      </span>
      <span className="shrink-0 tabular-nums">
        {bytes === null ? t('ledger.unknown') : format.memory(bytes)}
      </span>
    </li>
  );
}
