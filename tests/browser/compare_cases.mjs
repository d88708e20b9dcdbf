// What a person does to compare runs.
import { expect } from "./harness.mjs";
import { main_says } from "./steps.mjs";

const of_sweep = (rest) => ({ sweep }) => `/runs/compare?experiment=${sweep}&${rest}`;
const figure = (page, name) => page.getByRole("figure", { name, exact: true });
const lines = (page, name) => figure(page, name).locator("tbody tr");

export const compare_acts = [
  {
    name: "runs are grouped over their seeds, drawn as mean and band, and the grouping is in the URL", url: of_sweep("find=val_loss"), needs: ["sweep"],
    act: async ({ page, rest }) => {
      expect((await lines(page, "val_loss").count()) === 18, `not every run has its line: ${await lines(page, "val_loss").count()}`);
      await page.getByRole("button", { name: "Group runs" }).click();
      await page.getByLabel("By all parameters but what is chosen").check();
      await page.waitForURL(/group=-params.seed/);
      await rest();
      expect((await lines(page, "val_loss").count()) === 6, "three rates and two widths do not make six groups");
      await page.keyboard.press("Escape");
      await page.getByLabel("Band").selectOption("confidence");
      await page.waitForURL(/band=confidence/);
      expect(/mean of each group, band: 95 % interval of the mean/.test(await figure(page, "val_loss").innerText()), "the chart does not say what its lines are");
      const best = await lines(page, "val_loss").first().innerText();
      expect(/lr = 0.01, width = 32 \(3\)/.test(best), `the best group is not first: ${best}`);
    },
  },
  {
    name: "outliers are clipped, and the chart says how many points lie outside", url: of_sweep("find=train_loss&log=1"), needs: ["sweep"], themes: ["light"],
    act: async ({ page }) => {
      await page.getByLabel("Clip outliers").check();
      await page.waitForURL(/clip=1/);
      const text = await figure(page, "train_loss").innerText();
      expect(/log scale · 1 % clipped at either end: \d+ points outside/.test(text), `the chart says: ${text.slice(0, 200)}`);
    },
  },
  {
    name: "a zoom is shared by all charts, and a line that is hidden in one is hidden in all", url: of_sweep("find=loss"), needs: ["sweep"],
    act: async ({ page, rest }) => {
      const box = await figure(page, "train_loss").locator(".u-over").boundingBox();
      await page.mouse.move(box.x + box.width * 0.3, box.y + 40);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width * 0.6, box.y + 40, { steps: 4 });
      await page.mouse.up();
      await page.waitForURL(/zoom=/);
      await rest();
      expect((await page.getByRole("figure").getByRole("button", { name: "Whole range" }).count()) === 2, "the other chart is not zoomed");
      await lines(page, "train_loss").first().getByRole("button").click();
      await page.waitForURL(/hide=/);
      expect((await page.locator('figure tbody button[aria-pressed="false"]').count()) === 2, "the line is not hidden in both charts");
    },
  },
  {
    name: "x is the time since each run's first point, or its epoch", url: of_sweep("find=val_loss"), needs: ["sweep"], themes: ["light"],
    act: async ({ page, rest }) => {
      const x_of = async () => figure(page, "val_loss").getByRole("img").getAttribute("aria-label");
      await page.getByRole("combobox", { name: "Over" }).selectOption("relative");
      await rest();
      expect(/over time since the first point, 18 lines, 5400 points/.test(await x_of()), `x is ${await x_of()}`);
      await page.getByRole("combobox", { name: "Over" }).selectOption("epoch");
      await rest();
      expect(/over epoch, 18 lines, 5400 points/.test(await x_of()), `x is ${await x_of()}`);
    },
  },
  {
    name: "compared runs are shown side by side, and one is left out", url: ({ sweep_runs }) => `/runs/compare?ids=${sweep_runs.slice(0, 4).join(",")}&tab=table`, needs: ["sweep"], themes: ["dark"],
    act: async ({ page, rest }) => {
      await main_says(page, /2 parameters are the same in all runs/);
      await page.getByRole("button", { name: "Leave w16-lr0.001-1 out" }).click();
      await rest();
      await main_says(page, /Compare 3 runs/);
    },
  },
];
