// What a person does with cases and findings.
import { expect } from "./harness.mjs";
import { main_says, press } from "./steps.mjs";

export const monitor_acts = [
  {
    name: "a wrong filter of cases is explained under the word, and a right one is in the URL", url: "/cases?state=any", needs: ["case"], allow: /400/,
    act: async ({ page, rest }) => {
      const box = page.getByRole("combobox", { name: "Filter" });
      await box.fill("confidense < 1");
      await box.press("Enter");
      await page.getByRole("alert").waitFor();
      const text = await page.getByRole("alert").innerText();
      expect(/did you mean 'confidence'/.test(text), `the alert says: ${text}`);
      expect((await page.getByRole("alert").locator("mark").innerText()) === "confidense", "the wrong word is not marked");
      await box.fill("confidence < 2 and reason = 'flagged'");
      await box.press("Enter");
      await page.getByRole("alert").waitFor({ state: "hidden" });
      await rest();
      expect(page.url().includes("filter="), "the filter is not in the URL");
    },
  },
  {
    name: "all cases of a list are counted, not only those that are loaded", url: "/cases?state=any", needs: ["case", "api cases"], themes: ["light"],
    act: async ({ page }) => {
      const total = await page.evaluate(async () => (await (await fetch("/api/v1/cases?page_size=1")).json()).total);
      await main_says(page, new RegExp(`${total.toLocaleString("en")} cases`));
    },
  },
  {
    name: "selected cases are sent to a branch, and the page says what became of them", url: "/cases?state=labelled", needs: ["case", "dataset"], themes: ["light"],
    act: async ({ page, rest }) => {
      await press(page, "j", "x", "j", "x", "s");
      const dialog = page.getByRole("dialog", { name: "Send cases to a dataset" });
      await dialog.waitFor();
      await dialog.getByRole("combobox", { name: "Dataset" }).selectOption("segments");
      await dialog.getByLabel("Branch", { exact: false }).first().fill("from-production");
      await dialog.getByRole("button", { name: "Send", exact: true }).click();
      await page.getByText(/cases? sent, .* held out/).waitFor();
      await rest();
    },
  },
  {
    name: "a finding says what, since when and how strong, and shows it", url: ({ finding }) => `/findings/${finding}`, needs: ["finding"],
    act: async ({ page }) => {
      await main_says(page, /what is allowed/);
      await main_says(page, /Since/);
      await page.getByRole("img", { name: /Distribution of/ }).waitFor();
    },
  },
  {
    name: "a deployment's traffic is drawn with its percentiles and errors", url: ({ deployment }) => `/deployments/${deployment}?minutes=1440`, needs: ["deployment", "answer"], themes: ["light"],
    act: async ({ page }) => {
      await main_says(page, /Each point is 5 minutes/);
      for (const title of ["Requests", "Errors", "Time to answer"]) await main_says(page, new RegExp(title));
    },
  },
];
