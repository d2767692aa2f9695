/** Runs before our preload: gives the page of an old Chromium the functions that the built page uses of newer ones. */
const { webFrame } = require('electron');

function addNewerFunctions() {
  const copy = {
    toSorted(compare) {
      return [...this].sort(compare);
    },
    toReversed() {
      return [...this].reverse();
    },
    with(index, value) {
      const next = [...this];
      next[index] = value;
      return next;
    },
  };
  for (const name of Object.keys(copy))
    Object.defineProperty(Array.prototype, name, { value: copy[name], writable: true, configurable: true });
}

webFrame.executeJavaScript(`(${addNewerFunctions})()`);
