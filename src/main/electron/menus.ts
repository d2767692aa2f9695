import type { MenuItemConstructorOptions } from 'electron';
import type { ShellStrings } from './strings';
import { type ShellFacts, stoppedByQuit } from './tray-state';

/** Actions of the menus; each calls the core or the window. */
export interface MenuActions {
  open: () => void;
  restartMlx: () => void;
  setOnlyLight: (on: boolean) => void;
  settings: () => void;
  hide: () => void;
  quit: () => void;
}

/** The icon's context menu. */
export function trayMenu(
  facts: ShellFacts,
  strings: ShellStrings,
  actions: MenuActions,
): MenuItemConstructorOptions[] {
  const onlyLight = facts.settings.mlxOnlyLight;
  const held = onlyLight?.source === 'environment';
  return [
    { id: 'open', label: strings.open, click: actions.open },
    { type: 'separator' },
    { id: 'restart-mlx', label: strings.restartMlx, click: actions.restartMlx },
    {
      id: 'only-light',
      type: 'checkbox',
      label: held ? `${strings.onlyLight} (${strings.fromEnvironment})` : strings.onlyLight,
      checked: onlyLight?.value === true,
      enabled: !held,
      click: (item) => actions.setOnlyLight(item.checked),
    },
    { type: 'separator' },
    settingsItem(strings, actions),
    quitItem(facts, strings, actions),
  ];
}

/** The application menu: invisible in a menubar app, but its shortcuts work while the popover has the focus. */
export function appMenu(
  facts: ShellFacts,
  strings: ShellStrings,
  actions: MenuActions,
): MenuItemConstructorOptions[] {
  return [
    { label: 'Tandem', submenu: [settingsItem(strings, actions), quitItem(facts, strings, actions)] },
    {
      label: strings.edit,
      submenu: [
        { role: 'undo' },
        { role: 'redo' },
        { type: 'separator' },
        { role: 'cut' },
        { role: 'copy' },
        { role: 'paste' },
        { role: 'selectAll' },
      ],
    },
    {
      label: strings.window,
      submenu: [
        { role: 'resetZoom' },
        { role: 'zoomIn' },
        { role: 'zoomOut' },
        { id: 'hide', label: strings.hide, accelerator: 'CmdOrCtrl+W', click: actions.hide },
      ],
    },
  ];
}

function settingsItem(strings: ShellStrings, actions: MenuActions): MenuItemConstructorOptions {
  return { id: 'settings', label: strings.settings, accelerator: 'CmdOrCtrl+,', click: actions.settings };
}

function quitItem(
  facts: ShellFacts,
  strings: ShellStrings,
  actions: MenuActions,
): MenuItemConstructorOptions {
  const label = strings.quit(stoppedByQuit(facts));
  return { id: 'quit', label, accelerator: 'CmdOrCtrl+Q', click: actions.quit };
}
