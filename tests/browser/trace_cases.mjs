// What a person does with traces.
import { expect } from "./harness.mjs";
import { main_says } from "./steps.mjs";

export const trace_pages = [
  ["traces", "/traces", ["trace"]],
  ["trace", ({ trace }) => `/traces/${trace}`, ["trace"]],
  ["evaluation datasets", "/evaluation-datasets", ["evaluation_dataset"]],
  ["evaluation dataset", ({ evaluation_dataset }) => `/evaluation-datasets/${evaluation_dataset}`, ["evaluation_dataset"]],
  ["scorers", "/scorers", ["evaluation_dataset"]],
  ["trace with an error", ({ failed_trace }) => `/traces/${failed_trace}?span=0000000000000002`, ["failed_trace"]],
];

export const trace_acts = [
  {
    name: "a trace says its experiment by name and its tokens in words", url: ({ trace }) => `/traces/${trace}`, needs: ["trace"],
    act: async ({ page, rest }) => {
      await main_says(page, /222 \(210 in, 12 out\)/);
      await page.getByRole("link", { name: "harbour", exact: true }).click();
      await rest();
      expect(page.url().includes("/traces?experiment="), "the experiment does not lead to its traces");
      await main_says(page, /a ferry/);
    },
  },
  {
    name: "a filter finds the trace with the error, and is in the URL", url: "/traces", needs: ["trace"], allow: /400/,
    act: async ({ page, rest }) => {
      const box = page.getByRole("combobox", { name: "Filter" });
      await box.fill("colour = 'red'");
      await box.press("Enter");
      await page.getByRole("alert").waitFor();
      await box.fill("span.status = 'ERROR' and span.type = 'TOOL'");
      await box.press("Enter");
      await page.getByRole("alert").waitFor({ state: "hidden" });
      await rest();
      await page.getByText("a ferry").waitFor({ state: "hidden" });
      await main_says(page, /error/);
      expect(page.url().includes("filter="), "the filter is not in the URL");
    },
  },
  {
    name: "spans are walked and folded by keyboard, and the chosen one is in the URL", url: ({ trace }) => `/traces/${trace}`, needs: ["trace"],
    act: async ({ page, rest }) => {
      const tree = page.getByRole("tree", { name: "Spans" });
      await tree.waitFor();
      expect((await tree.getByRole("treeitem").count()) === 4, "not all four spans are there");
      await tree.focus();
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("ArrowDown");
      await page.getByRole("heading", { name: "think" }).waitFor();
      await main_says(page, /total_tokens/);
      await page.keyboard.press("ArrowLeft");
      await rest();
      expect((await tree.getByRole("treeitem").count()) === 3, "the folded span still shows what is below it");
      expect(page.url().includes("span=0000000000000003"), "the chosen span is not in the URL");
      await page.keyboard.press("ArrowRight");
      expect((await tree.getByRole("treeitem").count()) === 4, "the span does not unfold");
    },
  },
  {
    name: "a person assesses a trace, and takes it back", url: ({ failed_trace }) => `/traces/${failed_trace}`, needs: ["failed_trace"], themes: ["light"],
    act: async ({ page }) => {
      await page.getByLabel("What is judged").fill("polite");
      await page.getByLabel("Value", { exact: true }).fill("false");
      await page.getByLabel("Why").fill("it said nothing");
      await page.getByRole("button", { name: "Assess" }).click();
      await main_says(page, /polite: false/);
      await main_says(page, /it said nothing/);
      await page.getByRole("button", { name: "Take back polite" }).click();
      await page.getByText("polite: false").waitFor({ state: "hidden" });
    },
  },
];
