// What a person does with saved views.
import { expect } from "./harness.mjs";

export const views_acts = [
  {
    name: "a view is saved for everybody, found by its link, changed, renamed and deleted", url: ({ sweep }) => `/runs?experiment=${sweep}&sort=-metrics.val_loss`, needs: ["sweep"],
    act: async ({ page, rest, base, theme }) => {
      const name = `worst first, ${theme}`;
      await page.getByRole("button", { name: "Views" }).click();
      await page.getByLabel("Name of this view").fill(name);
      await page.getByRole("button", { name: "Save", exact: true }).click();
      await page.waitForURL(/view=/);
      const id = new URL(page.url()).searchParams.get("view");
      await page.goto(`${base}/runs?view=${id}`);
      await page.waitForURL(/sort=-metrics.val_loss/);
      await rest();
      await page.getByRole("columnheader", { name: "lr", exact: true }).getByRole("button").click();
      await page.getByRole("button", { name: `View: ${name}, changed` }).click();
      await page.getByRole("button", { name: `Save changes to ${name}` }).click();
      await page.getByRole("button", { name: `View: ${name}`, exact: true }).click();
      await page.getByRole("button", { name: `Rename ${name}` }).click();
      await page.getByLabel(`New name of ${name}`).fill(`by rate, ${theme}`);
      await page.getByRole("button", { name: "Rename", exact: true }).click();
      await page.getByRole("button", { name: `Delete by rate, ${theme}` }).click();
      await page.getByText(`The view by rate, ${theme} is gone.`).waitFor();
      await rest();
      const left = await page.evaluate(async () => (await (await fetch("/api/v1/views?page=runs")).json()).views.map((view) => view.name));
      expect(!left.includes(`by rate, ${theme}`), "the view is still there");
    },
  },
];
