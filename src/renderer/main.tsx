import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app';
import { getBridge } from './bridge/bridge';
import { startI18n } from './i18n/i18n';
import { connect } from './stores/connect';
import './styles.css';
import { firstAppearance } from './use-appearance';

startI18n(firstAppearance());
connect(getBridge());

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no #root');
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
