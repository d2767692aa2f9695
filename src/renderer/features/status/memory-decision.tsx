import { useTranslation } from 'react-i18next';
import type { Ledger } from '../../../shared/status';
import { shortModel } from '../../components/backend-words';
import { backendName } from '../../i18n/backend-name';
import { en } from '../../i18n/en';
import { useFormat } from '../../i18n/use-format';

/** The last request that memory did not simply allow: the decision and its figures. */
export function MemoryDecision({ decision }: { decision: NonNullable<Ledger['lastDecision']> }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { kind, rule, backend, model, neededBytes, freeBytes, at } = decision;
  const time = format.clock(at);
  const sentences = [
    kind === 'evict'
      ? model === null || neededBytes === null
        ? t('ledger.decided.evictPlain', { time })
        : t('ledger.decided.evict', { time, model: shortModel(model) })
      : t(`ledger.decided.${kind}`, { time, backend: backendName(backend, t) }),
  ];
  if (Object.hasOwn(en.ledger.rules, rule))
    sentences.push(t(`ledger.rules.${rule as keyof typeof en.ledger.rules}`));
  if (neededBytes !== null && freeBytes !== null)
    sentences.push(
      t('ledger.numbers', { needed: format.memory(neededBytes), free: format.memory(freeBytes) }),
    );
  return (
    <p className="mt-1.5 text-ink-2 text-small leading-snug tabular-nums" title={format.moment(at)}>
      {sentences.join(' ')}
    </p>
  );
}
