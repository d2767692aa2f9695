import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { FirstStart, Pair } from '../../../shared/models';
import { Button } from '../../components/button';
import { TandemIcon } from '../../components/icons';
import { Note } from '../../components/note';
import { useFormat } from '../../i18n/use-format';
import { perform } from '../../stores/request';
import { focusComposer, showPart } from '../../stores/ui-store';
import { FirstStartPair } from './first-start-pair';
import { MachineFacts } from './machine-facts';

/** What Tandem is, what this machine can run, and one button that downloads it. Shown until the user has decided. */
export function FirstStartScreen({ firstStart }: { firstStart: FirstStart }) {
  const { t } = useTranslation();
  const title = useId();
  const [small, setSmall] = useState(false);
  const { pair, smallerPair, machine } = firstStart;
  const shown = (small ? smallerPair : null) ?? pair;
  return (
    <section
      aria-labelledby={title}
      data-testid="first-start"
      className="m-auto grid w-full max-w-[440px] grid-cols-[minmax(0,1fr)] gap-2.5 py-2"
    >
      <header>
        <h2 id={title} className="flex items-center gap-2 font-[650] text-title">
          <TandemIcon width={18} height={18} className="text-accent-text" />
          {t('firstStart.title')}
        </h2>
        <p className="mt-1 text-ink-2">{t('firstStart.what')}</p>
      </header>
      <MachineFacts firstStart={firstStart} />
      {shown ? (
        <FirstStartPair pair={shown} diskFreeBytes={machine.diskFreeBytes} onDone={finish} />
      ) : machine.totalBytes === null ? (
        <span className="skeleton block h-40" />
      ) : (
        <NothingFits totalBytes={machine.totalBytes} />
      )}
      <Ways
        found={firstStart.found.length > 0}
        other={shown === smallerPair ? pair : smallerPair}
        small={small}
        onOther={() => setSmall(!small)}
      />
    </section>
  );
}

function finish(): void {
  focusComposer();
  void perform('firstStartDone', { done: true });
}

function NothingFits({ totalBytes }: { totalBytes: number }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <Note tone="warn">
      <p>{t('firstStart.nothingFits', { total: format.memory(totalBytes) })}</p>
      <Button tone="plain" className="-ml-2.5" onClick={() => showPart('model-get')}>
        {t('models.byName')}
      </Button>
    </Note>
  );
}

interface WaysProps {
  /** Whether models were here already. */
  found: boolean;
  /** The pair that is not shown; null = there is only one. */
  other: Pair | null;
  /** Whether the smaller pair is shown. */
  small: boolean;
  onOther: () => void;
}

/** The ways other than the one button. */
function Ways({ found, other, small, onOther }: WaysProps) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <div className="-mx-1.5 flex flex-wrap items-center">
      {other && (
        <Button tone="plain" className="!px-1.5" onClick={onOther}>
          {t(small ? 'firstStart.larger' : 'firstStart.smaller', {
            size: format.fileSize(other.downloadBytes),
          })}
        </Button>
      )}
      {found && (
        <Button tone="plain" className="!px-1.5" onClick={finish}>
          {t('firstStart.useFound')}
        </Button>
      )}
      <Button tone="plain" className="!px-1.5" onClick={() => showPart('model-folders')}>
        {t('firstStart.folder')}
      </Button>
      <Button tone="plain" className="!px-1.5 ml-auto" onClick={finish}>
        {t('firstStart.later')}
      </Button>
    </div>
  );
}
