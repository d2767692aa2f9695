import { type FormEvent, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { BackendInstance } from '../../../shared/domain';
import { useInstances, useLooks } from '../../components/backends';
import { Button } from '../../components/button';
import { Segments } from '../../components/segments';
import { useWantedPart } from '../../components/use-wanted-part';
import { backendName } from '../../i18n/backend-name';
import { LookupCard } from './lookup-card';
import { gettersOf, guessedFor, nameFor, nameIn } from './typed-name';
import type { HubTokenForm } from './use-hub-token';
import { useLookup } from './use-lookup';

/** A field for the name of any model; what it stands for is shown before anything is downloaded. */
export function AddByName({ token }: { token: HubTokenForm }) {
  const { t } = useTranslation();
  const instances = useInstances();
  const [text, setText] = useState('');
  const [chosen, setChosen] = useState<string | null>(null);
  const field = useRef<HTMLInputElement>(null);
  useWantedPart('model-get', field);
  const { found, lookUp, clear } = useLookup();
  const guess = guessedFor(text, instances);
  const server = instances.find(({ id }) => id === chosen) ?? guess;
  const type = (next: string) => {
    setText(next);
    clear();
    // An emptied field begins a new name, with a new guess.
    if (nameIn(next) === '') setChosen(null);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (server && nameIn(text) !== '') void lookUp(server.id, nameFor(text, server));
  };
  return (
    <section aria-label={t('models.byName')}>
      <form onSubmit={submit}>
        <h2 className="px-1 pb-1.5 font-[600] text-ink-2 text-small">{t('models.byName')}</h2>
        <div className="flex gap-1.5">
          <input
            ref={field}
            type="text"
            value={text}
            maxLength={300}
            aria-label={t('models.byNameField')}
            placeholder={t(server?.role === 'light' ? 'models.exampleLight' : 'models.exampleHeavy')}
            spellCheck={false}
            autoCapitalize="off"
            autoComplete="off"
            onChange={(event) => type(event.target.value)}
            className="h-8 min-w-0 grow rounded-control border border-line-2 bg-card px-2.5"
          />
          <Button
            type="submit"
            tone="accent"
            className="min-h-8"
            disabled={nameIn(text) === '' || found.kind === 'asking'}
          >
            {t(found.kind === 'asking' ? 'models.lookingUp' : 'models.lookUp')}
          </Button>
        </div>
      </form>
      <ServerChoice
        instances={gettersOf(instances)}
        server={server}
        onChoose={(id) => {
          setChosen(id);
          clear();
        }}
      />
      {found.kind === 'failed' && (
        <p role="alert" className="mt-2 text-bad-text text-small">
          {found.words}
        </p>
      )}
      {found.kind === 'lookup' && (
        <LookupCard
          lookup={found.lookup}
          token={token}
          onAgain={() => void lookUp(found.lookup.backend, found.lookup.name)}
        />
      )}
    </section>
  );
}

interface ServerChoiceProps {
  instances: readonly BackendInstance[];
  server: BackendInstance | undefined;
  onChoose: (id: string) => void;
}

function ServerChoice({ instances, server, onChoose }: ServerChoiceProps) {
  const { t } = useTranslation();
  const lookOf = useLooks();
  if (!server) return null;
  return (
    <div className="mt-1.5 flex flex-wrap items-center gap-x-2 gap-y-1">
      <Segments
        value={server.id}
        label={t('models.server')}
        options={instances.map(({ id }) => {
          const { Icon, text } = lookOf(id);
          return {
            value: id,
            label: (
              <>
                <Icon className={text} />
                {backendName(id, t)}
              </>
            ),
          };
        })}
        onChange={onChoose}
      />
      <span className="min-w-0 text-ink-3 text-small">
        {t(server.role === 'light' ? 'models.takesLight' : 'models.takesHeavy')}
      </span>
    </div>
  );
}
