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
      await lines(page, "val_loss").first().waitFor();
      expect((await lines(page, "val_loss").count()) === 18, `not every run has its line: ${await lines(page, "val_loss").count()}`);
      await page.getByRole("button", { name: "Group runs" }).click();
      await page.getByLabel("By all parameters but what is chosen").check();
      await page.waitForURL(/group=-params.seed/);
      await rest();
      await lines(page, "val_loss").nth(5).waitFor();
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
    name: "a zoom into thinned points shows each of those in view", url: ({ spiky_run }) => `/runs/${spiky_run}`, needs: ["spiky_run"],
    act: async ({ page, rest }) => {
      const plot = page.getByRole("figure", { name: "level" });
      await plot.waitFor();
      expect(/20,000 points thinned to [\d,]+ points/.test(await plot.innerText()), `the plot says: ${await plot.innerText()}`);
      await page.goto(`${page.url()}?zoom=12340:12350`);
      await rest();
      await page.waitForFunction(() => !/thinned/.test(document.querySelector('figure[aria-label="level"]').innerText));
      await plot.getByRole("button", { name: "Save" }).click();
      const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "CSV, numbers" }).click()]);
      const chunks = [];
      for await (const chunk of await file.createReadStream()) chunks.push(chunk);
      const rows = new Map(Buffer.concat(chunks).toString().trim().split("\n").slice(1).map((row) => row.split(",").map(Number)));
      for (let step = 12340; step <= 12350; step++) expect(rows.has(step), `step ${step} is not there`);
      expect(rows.get(12345) === 50 && rows.get(12347) === -50, "the spikes have other values");
      expect(rows.size < 5000, `the whole of it was fetched: ${rows.size} points`);
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
    name: "a compared run that is not there is counted, the others are shown", url: ({ sweep_runs }) => `/runs/compare?ids=${sweep_runs.slice(0, 2).join(",")},${"0".repeat(32)}`, needs: ["sweep"], themes: ["light"],
    act: async ({ page }) => {
      await main_says(page, /Compare 2 runs/);
      await main_says(page, /1 run of those that the address names is not here/);
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

const grid_rows = (page) => page.getByRole("grid", { name: "Runs" }).locator('[role="row"][aria-selected]');

export const table_acts = [
  {
    name: "runs are grouped by columns, a group is opened, selected and compared", url: ({ sweep }) => `/runs?experiment=${sweep}&columns=name,state,metrics.val_loss,params.lr,params.seed`, needs: ["sweep"],
    act: async ({ page, rest }) => {
      await page.getByRole("button", { name: "Group", exact: true }).click();
      const dialog = page.getByRole("dialog", { name: "Group by columns" });
      await dialog.getByLabel("lr", { exact: true }).check();
      await dialog.getByLabel("width", { exact: true }).check();
      await page.waitForURL(/by=params.lr%2Cparams.width|by=params.lr,params.width/);
      await page.keyboard.press("Escape");
      await rest();
      await main_says(page, /6 groups of 18 runs/);
      await page.getByRole("columnheader", { name: "val_loss" }).getByRole("button").click();
      await page.getByRole("columnheader", { name: "val_loss" }).getByRole("button").click();
      await page.waitForURL(/sort=metrics.val_loss/);
      await rest();
      const best = grid_rows(page).first();
      expect(/lr = 0.01, width = 32/.test(await best.innerText()), `the best group is not first: ${await best.innerText()}`);
      await best.getByRole("button").click();
      expect((await grid_rows(page).count()) === 9, "the group does not show its three runs");
      await best.getByRole("checkbox").check();
      await main_says(page, /4 selected/);
      await page.getByRole("button", { name: "Compare 3" }).click();
      await page.waitForURL(/runs\/compare\?ids=/);
      await rest();
      await main_says(page, /Compare 3 runs/);
    },
  },
  {
    name: "the filter box completes a value behind its field", url: ({ sweep }) => `/runs?experiment=${sweep}`, needs: ["sweep"], themes: ["light"],
    act: async ({ page, rest }) => {
      await grid_rows(page).nth(1).waitFor();
      await page.keyboard.press("f");
      await page.keyboard.type("params.lr = '0.0");
      await page.getByRole("option", { name: "0.001", exact: true }).waitFor();
      await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
      await page.waitForURL((url) => url.searchParams.get("filter") === "params.lr = '0.001'");
      await rest();
      await main_says(page, /6 rows/);
    },
  },
  {
    name: "a formula that is wrong is marked under its word; a right one is a column that sorts", url: ({ sweep }) => `/runs?experiment=${sweep}`, needs: ["sweep"],
    act: async ({ page, rest }) => {
      await page.getByRole("button", { name: "Formula", exact: true }).click();
      await page.getByLabel("Name of the column").fill("gap");
      const box = page.getByLabel("Formula", { exact: true });
      await box.fill("100 * (val_los - train_loss)");
      const alert = page.getByRole("alert");
      expect(/did you mean “val_loss”/.test(await alert.innerText()), `the alert says: ${await alert.innerText()}`);
      expect((await alert.locator("mark").innerText()) === "val_los", "the wrong word is not marked");
      await box.fill("100 * (val_loss - train_loss)");
      await box.press("Enter");
      await page.waitForURL(/formulas=gap/);
      await page.keyboard.press("Escape");
      await page.getByRole("columnheader", { name: "gap" }).getByRole("button").click();
      await page.waitForURL(/sort=-formula.gap/);
      await rest();
      expect(/20\.0/.test(await grid_rows(page).first().innerText()), `the first row has another gap: ${await grid_rows(page).first().innerText()}`);
    },
  },
];

export const sweep_acts = [
  {
    name: "a span dragged on an axis leaves the runs that pass, which are then compared", url: of_sweep("tab=parallel"), needs: ["sweep"],
    act: async ({ page, rest }) => {
      const axis = page.locator('[data-axis="params.lr"]');
      const box = await axis.boundingBox();
      await page.mouse.move(box.x + box.width / 2, box.y + box.height * 0.35);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width / 2, box.y + box.height * 0.65, { steps: 5 });
      await page.mouse.up();
      await page.waitForURL(/brush=params.lr/);
      await main_says(page, /6 runs of 18 runs pass/);
      await page.getByRole("button", { name: "Compare these 6" }).click();
      await page.waitForURL(/ids=/);
      await rest();
      await main_says(page, /Compare 6 runs/);
    },
  },
  {
    name: "two fields are laid out against each other, and a point opens its run", url: of_sweep("tab=scatter&sx=params.width"), needs: ["sweep"],
    act: async ({ page, rest }) => {
      await main_says(page, /Rank correlation \(Spearman\) -0\.\d+/);
      await page.getByRole("combobox", { name: "Across" }).selectOption("metrics.train_loss");
      await page.waitForURL(/sx=metrics.train_loss/);
      await page.getByRole("img", { name: "val_loss over train_loss, 18 runs" }).waitFor();
      await main_says(page, /Rank correlation \(Spearman\) 1\b/);
      await page.locator("main circle").first().click();
      await page.waitForURL(/\/runs\/[0-9a-f]{32}$/);
      await rest();
    },
  },
  {
    name: "a result is a surface with lines of equal height over two parameters", url: of_sweep("tab=scatter&sx=params.lr"), needs: ["sweep"],
    act: async ({ page, rest }) => {
      await page.getByLabel("Surface").check();
      await page.waitForURL(/surface=1/);
      await page.getByRole("img", { name: "seed over lr, 18 runs" }).waitFor();
      await page.getByRole("combobox", { name: "Upwards" }).selectOption("params.width");
      await rest();
      expect((await page.locator("main svg path").count()) > 0, "no line of equal height is drawn");
      await main_says(page, /Surface: the mean val_loss of the runs near a place/);
    },
  },
  {
    name: "what matters is said with its method: the learning rate, not the seed", url: of_sweep("tab=importance"), needs: ["sweep"],
    act: async ({ page }) => {
      const rows = page.getByRole("region", { name: "Importance of parameters" }).locator("tbody tr");
      await rows.first().waitFor();
      expect(/^lr/.test((await rows.first().innerText()).trim()), `the first is ${await rows.first().innerText()}`);
      const seed = await rows.filter({ hasText: "seed" }).innerText();
      expect(/\s[0-9] %/.test(seed), `the seed matters: ${seed}`);
      await main_says(page, /Permutation importance \(Breiman 2001\) from 18 runs/);
    },
  },
  {
    name: "what runs recorded is shown where it differs, or whole", url: ({ run, step_run }) => `/runs/compare?ids=${run},${step_run}&tab=differences`, needs: ["run", "step_run"],
    act: async ({ page, rest }) => {
      await main_says(page, /1 run of 2 runs was started outside Slipway/);
      await main_says(page, /Command/);
      expect((await page.getByRole("region", { name: "Machine" }).locator("tbody tr").count()) > 0, "the machine is not shown");
      await page.getByLabel("What is the same too").check();
      await page.waitForURL(/all=1/);
      await rest();
    },
  },
];
