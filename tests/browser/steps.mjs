// What cases do again and again.
import { expect } from "./harness.mjs";

export const text_of = async (page, selector) => (await page.locator(selector).first().innerText()).trim();

/// Waits until the page says it.
export async function main_says(page, pattern, ms_max = 5000) {
  const until = Date.now() + ms_max;
  let text = await text_of(page, "main");
  for (; Date.now() < until && !pattern.test(text); text = await text_of(page, "main")) await page.waitForTimeout(50);
  expect(pattern.test(text), `the page does not say ${pattern}; it says: ${text.slice(0, 300)}`);
}

export const press = async (page, ...keys) => { for (const key of keys) await page.keyboard.press(key); };
