import { X } from 'lucide-react';
import { type FormEvent, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { shortModel } from '../../components/backend-words';
import { useFirstOf } from '../../components/backends';
import { Button, IconButton } from '../../components/button';
import { useWantedPart } from '../../components/use-wanted-part';
import { usePart } from '../../stores/core-store';
import { SettingRow } from './setting-row';
import { useSetting } from './use-setting';

/** Same limit as in the setting's schema. */
const MOST = 20;
const EXAMPLE = '/Volumes/Models';

/** Folders that are scanned for MLX models, and what was found there and elsewhere. */
export function FoldersRow() {
  const { t } = useTranslation();
  const setting = useSetting('modelFolders');
  if (setting === null) return null;
  const { value: folders, set } = setting;
  return (
    <SettingRow
      setting={setting}
      title={t('settings.folders')}
      hint={t('settings.foldersHint')}
      control={() => null}
    >
      {folders.length > 0 && (
        <ul className="mt-1.5 grid gap-0.5">
          {folders.map((path) => (
            <li key={path} className="flex items-center gap-1">
              <code className="min-w-0 grow select-text font-mono text-mini text-ink-2 [overflow-wrap:anywhere]">
                {path}
              </code>
              <IconButton
                label={t('settings.folderRemove', { path })}
                onClick={() => set(folders.filter((folder) => folder !== path))}
              >
                <X size={13} aria-hidden="true" />
              </IconButton>
            </li>
          ))}
        </ul>
      )}
      <AddFolder folders={folders} onAdd={(path) => set([...folders, path])} />
      <Found />
    </SettingRow>
  );
}

function AddFolder({
  folders,
  onAdd,
}: {
  folders: readonly string[];
  /** False when the path was rejected; the text then stays for correction. */
  onAdd: (path: string) => Promise<boolean>;
}) {
  const { t } = useTranslation();
  const [text, setText] = useState('');
  const [problem, setProblem] = useState<string | null>(null);
  const field = useRef<HTMLInputElement>(null);
  useWantedPart('model-folders', field);
  const add = async (event: FormEvent) => {
    event.preventDefault();
    const path = text.trim().replace(/(?<=.)\/+$/, '');
    if (path === '') return;
    if (!path.startsWith('/')) return setProblem(t('settings.folderInvalid'));
    if (folders.includes(path)) return setProblem(t('settings.folderTwice'));
    if (folders.length >= MOST) return setProblem(t('settings.foldersFull'));
    if (await onAdd(path)) setText('');
  };
  return (
    <form onSubmit={(event) => void add(event)} className="mt-1.5">
      <div className="flex gap-1.5">
        <input
          ref={field}
          type="text"
          value={text}
          aria-label={t('settings.folderPath')}
          aria-invalid={problem !== null}
          placeholder={EXAMPLE}
          spellCheck={false}
          autoComplete="off"
          onChange={(event) => {
            setText(event.target.value);
            setProblem(null);
          }}
          className="h-7 min-w-0 grow rounded-control bg-fill px-2.5 font-mono text-mini placeholder:text-ink-3"
        />
        <Button type="submit" disabled={text.trim() === ''}>
          {t('settings.folderAdd')}
        </Button>
      </div>
      {problem !== null && (
        <p role="alert" className="mt-1 text-bad-text text-small">
          {problem}
        </p>
      )}
    </form>
  );
}

/** The result of the scan; it updates automatically when a folder is added or removed. */
function Found() {
  const { t } = useTranslation();
  const light = useFirstOf('light')?.id;
  const found = (usePart('models') ?? []).filter(
    ({ backend, small, broken }) => backend === light && !small && broken === null,
  );
  const names = found.map(({ name }) => shortModel(name)).join(', ');
  return (
    <p role="status" className="mt-1.5 text-ink-3 text-small [overflow-wrap:anywhere]">
      {found.length === 0
        ? t('settings.foldersNone')
        : t('settings.foldersFound', { count: found.length, names })}
    </p>
  );
}
