import { create } from 'zustand';

export const VIEWS = ['chat', 'models', 'status', 'connect', 'settings'] as const;
export type View = (typeof VIEWS)[number];

/** A part of a view that another view can lead to. */
export type ViewPart = keyof typeof PLACES;

/** Tabs of the view of models. */
export type ModelsTab = 'installed' | 'get';

export interface Toast {
  id: number;
  text: string;
  tone: 'plain' | 'error';
  /** The view in which it appeared; it is shown only there. */
  view: View;
  action?: { label: string; run: () => void };
}

interface UiState {
  view: View;
  /** History drawer of the narrow layout. */
  drawer: boolean;
  /** Incremented each time the composer should take the focus. */
  focusComposer: number;
  modelsTab: ModelsTab;
  /** The part that takes the focus as soon as it is on the page; the part clears it. */
  wantedPart: ViewPart | null;
  toasts: readonly Toast[];
}

/** State of the window itself; only the view is kept over a reload. */
export const useUi = create<UiState>(() => ({
  view: 'chat',
  drawer: false,
  focusComposer: 0,
  modelsTab: 'installed',
  wantedPart: null,
  toasts: [],
}));

export function showView(view: View): void {
  useUi.setState({ view, drawer: false });
}

export function setDrawer(drawer: boolean): void {
  useUi.setState({ drawer });
}

export function focusComposer(): void {
  useUi.setState((state) => ({ view: 'chat', drawer: false, focusComposer: state.focusComposer + 1 }));
}

export function setModelsTab(modelsTab: ModelsTab): void {
  useUi.setState({ modelsTab });
}

const PLACES = {
  'chat-search': { view: 'chat', drawer: true },
  'model-search': { view: 'models', modelsTab: 'installed' },
  'model-get': { view: 'models', modelsTab: 'get' },
  'hub-token': { view: 'models', modelsTab: 'get' },
  'model-folders': { view: 'settings' },
  'small-model': { view: 'settings' },
} as const satisfies Record<string, { view: View; drawer?: boolean; modelsTab?: ModelsTab }>;

/** Shows the view of a part and moves the focus to it. */
export function showPart(part: ViewPart): void {
  useUi.setState({ drawer: false, ...PLACES[part], wantedPart: part });
}

/** Default time a toast stays, ms. */
const TOAST_MS = 5_000;
let lastToast = 0;

/** Shows a short note; at most three at a time. */
export function showToast(
  toast: Omit<Toast, 'id' | 'tone' | 'view'> & { tone?: Toast['tone'] },
  ms = TOAST_MS,
): void {
  lastToast += 1;
  const id = lastToast;
  useUi.setState((state) => ({
    toasts: [...state.toasts.slice(-2), { tone: 'plain', ...toast, id, view: state.view }],
  }));
  setTimeout(() => dismissToast(id), ms);
}

export function dismissToast(id: number): void {
  useUi.setState((state) => ({ toasts: state.toasts.filter((toast) => toast.id !== id) }));
}
