/**
 * Prints the steps of set-up: one line per step with its time; on a terminal the running step's seconds are updated.
 * With `json` each step is one JSON line in the format of the program's log.
 *
 * @param {{ write: (text: string) => unknown, isTTY?: boolean }} out
 * @param {{ json?: boolean, now?: () => number }} [options]
 */
export function stepPrinter(out, { json = false, now = Date.now } = {}) {
  const seconds = (from) => `${((now() - from) / 1000).toFixed(1)} s`;
  const line = (msg, extra = {}) => {
    if (json) out.write(`${JSON.stringify({ level: 'info', time: now(), msg, ...extra })}\n`);
    else out.write(`${msg}\n`);
  };
  const redraw = (text) => out.isTTY && !json && out.write(`\r\u001b[2K${text}`);

  return {
    /** Prints one sentence. */
    say: line,
    /**
     * Runs a step; `update` changes the text of its line (on a terminal only).
     *
     * @template T
     * @param {string} title
     * @param {(update: (text: string) => void) => Promise<T>} work
     * @returns {Promise<T>} the work's result or failure
     */
    async step(title, work) {
      const started = now();
      let text = title;
      const isLive = Boolean(out.isTTY) && !json;
      if (!isLive) line(`${title} …`);
      const show = () => redraw(`${text} … ${seconds(started)}`);
      show();
      const timer = isLive ? setInterval(show, 250) : undefined;
      try {
        const result = await work((next) => {
          text = next;
        });
        redraw('');
        line(`${title}: done in ${seconds(started)}`, { elapsedMs: now() - started });
        return result;
      } catch (error) {
        redraw('');
        line(`${title}: failed after ${seconds(started)}`, { elapsedMs: now() - started });
        throw error;
      } finally {
        clearInterval(timer);
      }
    },
  };
}
