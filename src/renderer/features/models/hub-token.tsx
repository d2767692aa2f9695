import { type FormEvent, type Ref, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { BackendId } from '../../../shared/domain';
import { useInstances } from '../../components/backends';
import { Button } from '../../components/button';
import { ExternalLink } from '../../components/external-link';
import { Note } from '../../components/note';
import { useWantedPart } from '../../components/use-wanted-part';
import { usePart } from '../../stores/core-store';
import { errorSentence, perform, request } from '../../stores/request';
import { showToast } from '../../stores/ui-store';
import type { HubTokenForm } from './use-hub-token';

/** What protects the token where it is kept; the headless host has no secret store. */
function useSecretPlace(): 'keychain' | 'store' | 'file' {
  const app = usePart('app');
  if (app?.host !== 'electron') return 'file';
  return app.platform === 'darwin' ? 'keychain' : 'store';
}

/** The shortest token that the core takes. */
const SHORTEST = 8;

interface GatedNoteProps {
  backend: BackendId;
  /** Name of the repository, as its server takes it. */
  name: string;
  token: HubTokenForm;
  onStored: () => void;
}

/** What a gated repository asks for, with a field for the token; Ollama downloads with a key of its own instead. */
export function GatedNote({ backend, name, token, onStored }: GatedNoteProps) {
  const { t } = useTranslation();
  // The light server's models are downloaded by Tandem.
  const isOwnDownload = useInstances().find(({ id }) => id === backend)?.role === 'light';
  const { state, refresh } = token;
  const known = state?.stored || state?.fromEnvironment;
  const repository = name.replace(/^hf\.co\//, '').replace(/:[^/]*$/, '');
  return (
    <Note tone="info">
      <p>{t(!isOwnDownload ? 'hubToken.ollama' : known ? 'hubToken.notEnough' : 'hubToken.needed')}</p>
      <ExternalLink
        href={`https://huggingface.co/${repository}`}
        className="inline-flex min-h-6 items-center text-accent-text underline"
      >
        {t('hubToken.page')}
      </ExternalLink>
      {!isOwnDownload ? null : state?.fromEnvironment ? (
        <p className="mt-1 text-ink-2">{t('hubToken.fromEnvironment')}</p>
      ) : (
        <TokenForm
          onStored={() => {
            void refresh();
            onStored();
          }}
        />
      )}
    </Note>
  );
}

interface TokenFormProps {
  field?: Ref<HTMLInputElement>;
  onStored: () => void;
}

function TokenForm({ field, onStored }: TokenFormProps) {
  const { t } = useTranslation();
  const place = useSecretPlace();
  const [text, setText] = useState('');
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const store = async (event: FormEvent) => {
    event.preventDefault();
    const token = text.trim();
    if (token.length < SHORTEST) return setProblem(t('hubToken.short'));
    setBusy(true);
    const outcome = await request('hubTokenSet', { token });
    setBusy(false);
    if (!outcome.ok) return setProblem(errorSentence(outcome.error));
    setText('');
    showToast({ text: t('hubToken.kept') });
    onStored();
  };
  return (
    <form onSubmit={(event) => void store(event)} className="mt-1.5">
      <div className="flex gap-1.5">
        <input
          ref={field}
          type="password"
          value={text}
          maxLength={500}
          aria-label={t('hubToken.field')}
          placeholder={t('hubToken.field')}
          autoComplete="off"
          onChange={(event) => {
            setText(event.target.value);
            setProblem(null);
          }}
          className="h-7 min-w-0 grow rounded-control border border-line-2 bg-card px-2.5"
        />
        <Button type="submit" disabled={busy || text.trim() === ''}>
          {t('common.save')}
        </Button>
      </div>
      <p className="mt-1 text-ink-3">{t(`hubToken.where.${place}`)}</p>
      {problem !== null && (
        <p role="alert" className="mt-1 text-bad-text">
          {problem}
        </p>
      )}
    </form>
  );
}

/** The token for gated repositories: a field for it, or that it is stored, with the button that removes it. */
export function HubTokenSection({ token: { state, refresh } }: { token: HubTokenForm }) {
  const { t } = useTranslation();
  const place = useSecretPlace();
  const field = useRef<HTMLInputElement>(null);
  useWantedPart('hub-token', field, state !== null);
  if (state === null) return null;
  const remove = async () => {
    if (await perform('hubTokenSet', { token: null })) await refresh();
  };
  return (
    <section aria-label={t('hubToken.title')} className="text-small">
      <h2 className="px-1 pb-1.5 font-[600] text-ink-2">{t('hubToken.title')}</h2>
      {state.fromEnvironment ? (
        <p className="px-1 text-ink-2">{t('hubToken.fromEnvironment')}</p>
      ) : state.stored ? (
        <p className="flex items-center gap-2 px-1 text-ink-2">
          <span className="grow">{t(`hubToken.stored.${place}`)}</span>
          <Button aria-label={t('hubToken.removeOf')} onClick={() => void remove()}>
            {t('common.remove')}
          </Button>
        </p>
      ) : (
        <TokenForm field={field} onStored={() => void refresh()} />
      )}
    </section>
  );
}
