import { describe, expect, it } from 'vitest';
import { overflowing, poorControls } from '../support/page-checks';
import { paleTexts } from '../support/pale-texts';
import { uiPage } from '../support/ui-page';
import { MODEL_SCREENS } from './model-screens';

/** Every state of the models, their downloads and the first start: names, sizes, contrast, and room. */

const ui = uiPage();

describe.each(MODEL_SCREENS)('$name', ({ core, open, act }) => {
  it.each(['en', 'ru'] as const)(
    'has named controls, contrast, and room in any width (%s)',
    async (language) => {
      await ui.open(core(language), open);
      await act?.(ui.page, language);
      expect(await ui.page.evaluate(poorControls)).toEqual([]);
      for (const colorScheme of ['light', 'dark'] as const) {
        await ui.page.emulateMedia({ colorScheme });
        expect(await ui.page.evaluate(paleTexts)).toEqual([]);
      }
      for (const [width, height] of [
        [210, 320],
        [720, 600],
      ] as const) {
        await ui.page.setViewportSize({ width, height });
        expect(await ui.page.evaluate(overflowing)).toEqual([]);
      }
    },
  );
});
