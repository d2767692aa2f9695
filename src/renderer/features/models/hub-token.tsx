import { type FormEvent, useCallback, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { CallOutput } from '../../../shared/contract';
import { Button } from '../../components/button';
import { ExternalLink } from '../../components/external-link';
import { Note } from '../../components/note';
import { errorSentence, perform, request } from '../../stores/request';
import { showToast } from '../../stores/ui-store';

/** The shortest token that the core takes. */
const SHORTEST = 8;

/** Whether a token is stored; null until it is known. The token itself never leaves the core. */
function useHubToken() {
  const [state, setState] = useState<CallOutput<'hubTokenState'> | null>(null);
  const refresh = useCallback(async () => {
    const outcome = await request('hubTokenState', {});
    if (outcome.ok) setState(outcome.value);
  }, []);
  useEffect(() => void refresh(), [refresh]);
  return { state, refresh };
}

/** What a gated repository asks for, with a field for the token. */
export function GatedNote({ name, onStored }: { name: string; onStored: () => void }) {
  const { t } = useTranslation();
  const { state, refresh } = useHubToken();
  const known = state?.stored || state?.fromEnvironment;
  const repository = name.replace(/^hf\.co\//, '').replace(/:[^/]*$/, '');
  return (
    <Note tone="info">
      <p>{t(known ? 'hubToken.notEnough' : 'hubToken.needed')}</p>
      <p className="mt-0.5 text-accent-text underline">
        <ExternalLink href={`https://huggingface.co/${repository}`}>{t('hubToken.page')}</ExternalLink>
      </p>
      {state?.fromEnvironment ? (
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

function TokenForm({ onStored }: { onStored: () => void }) {
  const { t } = useTranslation();
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
      <p className="mt-1 text-ink-3">{t('hubToken.where')}</p>
      {problem !== null && (
        <p role="alert" className="mt-1 text-bad-text">
          {problem}
        </p>
      )}
    </form>
  );
}

/** Says that a token is stored, with the button that removes it; nothing otherwise. */
export function HubTokenLine() {
  const { t } = useTranslation();
  const { state, refresh } = useHubToken();
  if (!state?.stored) return null;
  const remove = async () => {
    if (await perform('hubTokenSet', { token: null })) await refresh();
  };
  return (
    <p className="flex items-center gap-2 px-1 text-ink-3 text-small">
      <span className="grow">{t('hubToken.stored')}</span>
      <Button aria-label={t('hubToken.removeOf')} onClick={() => void remove()}>
        {t('common.remove')}
      </Button>
    </p>
  );
}
