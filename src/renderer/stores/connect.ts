import type { Bridge, Push } from '../../shared/contract';
import { type ChatPush, checkTarget, receive, reopen, restoreChat } from './chat-store';
import { setConnection, showPicture, useCore } from './core-store';
import { HeldPushes } from './held-pushes';
import { request } from './request';
import { applyPatch, joinSnapshot, type Patch } from './revision';
import { showView } from './ui-store';

/** Longest delay of a push while the window is hidden and renders no frames, ms. */
const HIDDEN_MS = 250;
/** Delay before a failed snapshot request is retried, ms. */
const RETRY_MS = 1_000;

/**
 * Connects the stores to the core: subscribes first, then fetches the snapshot, so that nothing between the two is
 * missed; after a lost connection it fetches the snapshot and the open chat again. Returns a function that disconnects.
 */
export function connectStores(bridge: Bridge): () => void {
  const held = new HeldPushes<Patch>();
  let asking = false;
  let ended = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let restored = false;

  const refresh = async (): Promise<void> => {
    if (asking || ended) return;
    asking = true;
    const outcome = await request('snapshot', {});
    asking = false;
    if (ended) return;
    if (!outcome.ok) {
      // A retry would not help. The WebSocket keeps reconnecting, rarely, and refreshes on success.
      if (outcome.error.code === 'unauthorized') setConnection('refused');
      else timer = setTimeout(refresh, RETRY_MS);
      return;
    }
    const patches = held.take();
    const joined = patches && joinSnapshot(outcome.value, patches);
    if (joined?.kind !== 'applied') return refresh();
    showPicture(joined.picture, Date.now());
    if (joined.picture.snapshot) checkTarget(joined.picture.snapshot.instances);
    setConnection('online');
    if (!restored) {
      restored = true;
      const chats = joined.picture.snapshot?.chats ?? [];
      await restoreChat((chatId) => chats.some((chat) => chat.id === chatId));
    }
  };

  const onPatch = (patch: Patch): void => {
    if (asking) {
      held.add(patch);
      return;
    }
    const outcome = applyPatch(useCore.getState(), patch);
    if (outcome.kind === 'applied') showPicture(outcome.picture, Date.now());
    else if (outcome.kind === 'gap') void refresh();
  };

  const chatPushes = new FrameQueue<ChatPush>(receive);
  const onPush = (push: Push): void => {
    if (push.name === 'patch') onPatch(push.payload);
    else if (push.name === 'navigate')
      showView(push.payload.view === 'activity' ? 'status' : push.payload.view);
    else chatPushes.add(push);
  };

  const unsubscribe = bridge.subscribe(onPush);
  const unwatch = bridge.onConnection((connected) => {
    if (!connected) {
      if (useCore.getState().connection !== 'refused') setConnection('lost');
      return;
    }
    void refresh();
    void reopen();
  });
  void refresh();
  return () => {
    ended = true;
    clearTimeout(timer);
    chatPushes.close();
    unsubscribe();
    unwatch();
  };
}

/**
 * Delivers items in one batch per animation frame, so that ten tokens in one frame cause one render. Keeps their order.
 * A hidden page gets no frames, so a timer takes over.
 */
class FrameQueue<T> {
  readonly #deliver: (item: T) => void;
  #items: T[] = [];
  #frame = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(deliver: (item: T) => void) {
    this.#deliver = deliver;
  }

  add(item: T): void {
    this.#items.push(item);
    if (this.#timer !== undefined) return;
    this.#frame = requestAnimationFrame(this.#flush);
    this.#timer = setTimeout(this.#flush, HIDDEN_MS);
  }

  close(): void {
    this.#cancel();
    this.#items = [];
  }

  readonly #flush = (): void => {
    this.#cancel();
    const items = this.#items;
    this.#items = [];
    // React batches all store changes of one task into one render.
    for (const item of items) this.#deliver(item);
  };

  #cancel(): void {
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
