import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app/app';
import { firstAppearance, followAppearance } from './app/appearance';
import { startI18n } from './i18n/i18n';
import { connectStores } from './stores/connect';
import { useCore } from './stores/core-store';
import { getBridge } from './stores/request';
import './styles.css';

/** If the settings have not arrived after this time, ms, the page is rendered with the theme of the last session. */
const PATIENCE_MS = 1_000;

startI18n(firstAppearance());
followAppearance();
connectStores(getBridge());

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no #root');

/** Renders the page once its language and theme are known, so that neither flashes. */
function draw(container: HTMLElement): void {
  clearTimeout(timer);
  unsubscribe();
  createRoot(container).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}

const unsubscribe = useCore.subscribe(({ connection }) => connection !== 'connecting' && draw(root));
const timer = setTimeout(() => draw(root), PATIENCE_MS);
