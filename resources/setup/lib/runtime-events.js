const names = { mlx: 'MLX', ollama: 'Ollama', model: 'Small model' };

/**
 * Prints set-up events: as JSON lines, or as plain lines, one per new sentence (on a terminal the percentage of the
 * running step is updated in place).
 *
 * @param {{ write: (text: string) => unknown, isTTY?: boolean }} out
 * @param {{ json: boolean }} options
 * @returns {(event: import('./set-up-runtimes.js').RuntimeEvent) => void}
 */
export function eventPrinter(out, { json }) {
  if (json) return (event) => out.write(`${JSON.stringify(event)}\n`);
  const lastStage = new Map();
  let open = false;
  const closeLine = () => {
    if (open) out.write('\n');
    open = false;
  };
  return (event) => {
    const isNew = lastStage.get(event.part) !== event.stage;
    lastStage.set(event.part, event.stage);
    const text = eventText(event);
    if (isNew || event.code) {
      closeLine();
      out.write(`${text}\n`);
    } else if (out.isTTY) {
      out.write(`\r\u001b[2K${text}`);
      open = true;
    }
  };
}

/**
 * One event as a line of text.
 *
 * @param {import('./set-up-runtimes.js').RuntimeEvent} event
 */
function eventText(event) {
  const seconds = `${(event.elapsedMs / 1000).toFixed(1)} s`;
  const percent = event.percent === null ? '' : ` ${event.percent} %`;
  const cure = event.cure ? ` ${event.cure}` : '';
  const words = { ready: 'ready: ', absent: 'not installed: ', failed: 'failed: ' }[event.stage] ?? '';
  return `${names[event.part]}: ${words}${event.detail}${percent && !words ? percent : ''} (${seconds})${cure}`;
}
