// What a person does about what goes and what stays.
import { expect } from "./harness.mjs";
import { main_says } from "./steps.mjs";

export const retention_acts = [
  {
    name: "a rule is set, tried out, and removed; nothing goes before it is time", url: "/settings?tab=retention", needs: ["sweep"], themes: ["light"],
    act: async ({ page, rest }) => {
      await page.getByLabel("Experiment", { exact: false }).fill("sweep");
      await page.getByLabel("by the latest value of").fill("val_loss");
      await page.getByLabel("and the last").fill("2");
      await page.getByRole("button", { name: "Add the rule" }).click();
      await main_says(page, /of the experiment sweep stay the best 5 by val_loss \(smallest\), the last 2/);
      await page.getByRole("button", { name: "What would be deleted now" }).click();
      await main_says(page, /0 runs of \d+ \(0 B\) would go/);
      await rest();
      await page.getByRole("button", { name: "Remove", exact: true }).click();
      await main_says(page, /There are no rules/);
    },
  },
  {
    name: "a run is pinned and let go again", url: ({ run }) => `/runs/${run}`, needs: ["run"], themes: ["dark"],
    act: async ({ page, rest }) => {
      await page.getByRole("button", { name: "Pin", exact: false }).click();
      await page.getByRole("button", { name: "Pinned", pressed: true }).waitFor();
      await main_says(page, /slipway.pinned = true/);
      await rest();
      await page.getByRole("button", { name: "Pinned" }).click();
      await page.getByRole("button", { name: "Pin", pressed: false }).waitFor();
      const id = new URL(page.url()).pathname.split("/").pop();
      const tags = await page.evaluate(async (run) => (await (await fetch(`/api/v1/runs/${run}`)).json()).tags, id);
      expect(!("slipway.pinned" in tags), "the run is still pinned");
    },
  },
];
