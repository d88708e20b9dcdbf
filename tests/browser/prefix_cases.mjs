// The web UI behind a proxy that shows the server below a path. The cases' base is the server itself, started with
// --static-prefix /lab.
import { expect } from "./harness.mjs";

const kPrefix = "/lab";

/// Every address that the page asked for or leads to must begin with the prefix.
async function all_below(page) {
  const outside = await page.evaluate((prefix) => {
    const asked = performance.getEntriesByType("resource").map(({ name }) => name);
    const here = location.href.replace(/#.*/, "");
    const linked = [...document.querySelectorAll("a[href], img[src], script[src], link[href]")].map((one) => one.href || one.src).filter((one) => one.replace(/#.*/, "") !== here);
    return [...asked, ...linked].filter((one) => one.startsWith(location.origin) && !new URL(one).pathname.startsWith(`${prefix}/`));
  }, kPrefix);
  expect(outside.length === 0, `these lie outside of ${kPrefix}: ${[...new Set(outside)].slice(0, 5).join(", ")}`);
}

export const prefix_cases = [
  {
    name: "behind a prefix, assets, API and links lie below it", url: `${kPrefix}/`,
    act: async ({ page, rest, base }) => {
      await all_below(page);
      await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Runs" }).click();
      await page.waitForURL(`${base}${kPrefix}/runs`);
      await rest();
      await page.getByRole("link", { name: "calm-otter" }).click();
      await page.waitForURL(/\/lab\/runs\/[0-9a-f]{32}$/);
      await rest();
      await page.getByRole("figure", { name: "loss" }).waitFor();
      await all_below(page);
      await page.goBack();
      await page.waitForURL(`${base}${kPrefix}/runs`);
      await rest();
    },
  },
  {
    name: "behind a prefix, a page is opened by its address, and its commands and live updates lead below it", url: ({ run }) => `${kPrefix}/runs/${run}?tab=artifacts`, needs: ["run"], themes: ["light"],
    act: async ({ page, rest, base }) => {
      await page.getByRole("navigation", { name: "Main" }).getByText(/^● Live$/).waitFor();
      await page.keyboard.press("h");
      await page.getByText(`${base}${kPrefix}/api/v1/runs/`).first().waitFor();
      await rest();
      await all_below(page);
    },
  },
  {
    name: "behind a prefix, another project's pages keep both", url: `${kPrefix}/projects/elsewhere/runs`, themes: ["dark"],
    act: async ({ page, rest, base }) => {
      await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Models" }).click();
      await page.waitForURL(`${base}${kPrefix}/projects/elsewhere/models`);
      await rest();
      await all_below(page);
    },
  },
  {
    name: "a proxy that takes the prefix off gets the same page", url: "/runs", themes: ["light"],
    act: async ({ page, rest, base }) => {
      await all_below(page);
      await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Models" }).click();
      await page.waitForURL(`${base}${kPrefix}/models`);
      await rest();
    },
  },
];
