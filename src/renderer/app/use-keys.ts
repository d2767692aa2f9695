import { useEffect } from 'react';
import { isComposing } from '../components/composition';
import { isMod } from '../components/shortcut';
import { activeAnswerId, beginChat, stop, useChat } from '../stores/chat-store';
import { useCore } from '../stores/core-store';
import { request } from '../stores/request';
import { setDrawer, showPart, showView, useUi, VIEWS } from '../stores/ui-store';

/** Keys of the whole window. Fields and menus that need a key stop its propagation. */
export function useKeys(): void {
  useEffect(() => {
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, []);
}

function onKeyDown(event: KeyboardEvent): void {
  if (event.defaultPrevented || isComposing(event)) return;
  if (event.key === 'Escape') onEscape();
  else if (isMod(event) && !event.altKey && command(event)) event.preventDefault();
}

/** Command combinations; a browser reserves some, so a new chat has a second one. Returns true when handled. */
function command(event: KeyboardEvent): boolean {
  const key = event.key.toLowerCase();
  const view = VIEWS[Number(key) - 1];
  if (view !== undefined) showView(view);
  else if (key === ',') showView('settings');
  else if (key === 'f') showPart(useUi.getState().view === 'models' ? 'model-search' : 'chat-search');
  else if (key === 'n' || (key === 'o' && event.shiftKey)) beginChat();
  else return false;
  return true;
}

/** Escape stops an answer, else closes what is open, else hides the popover. */
function onEscape(): void {
  const active = activeAnswerId(useChat.getState());
  if (useUi.getState().drawer) setDrawer(false);
  else if (active !== null && useUi.getState().view === 'chat') void stop(active);
  else if (useCore.getState().snapshot?.app.host === 'electron') void request('hideWindow', {});
}
