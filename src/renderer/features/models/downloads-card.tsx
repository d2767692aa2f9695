import { useId } from 'react';
import { useTranslation } from 'react-i18next';
import { DownloadRow } from '../../components/models/download-row';
import { useDownloads, useTitles } from '../../components/models/use-downloads';

/** All downloads since the start that were not dismissed; nothing if there is none. */
export function DownloadsCard() {
  const { t } = useTranslation();
  const title = useId();
  const titleOf = useTitles();
  const downloads = useDownloads();
  if (downloads.length === 0) return null;
  return (
    <section aria-labelledby={title}>
      <h2 id={title} className="px-1 pb-1.5 font-[600] text-ink-2 text-small">
        {t('downloads.title')}
      </h2>
      <ul className="divide-y divide-line rounded-card border border-line bg-card">
        {downloads.map((download) => (
          <li key={`${download.backend}/${download.name}`}>
            <DownloadRow download={download} title={titleOf(download)} />
          </li>
        ))}
      </ul>
    </section>
  );
}
