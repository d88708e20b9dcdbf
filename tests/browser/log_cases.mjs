// What a person does with a run's log, and where the load of the machine is shown.
import fs from "node:fs";
import { expect } from "./harness.mjs";
import { press } from "./steps.mjs";

const at_log = ({ logged_run }) => `/runs/${logged_run}?tab=log`;
const current = (page) => page.locator('[role="log"] [aria-current="true"]');

async function find(page, text) {
  await page.getByRole("log", { name: "Log" }).getByText("Needle in line 59990").waitFor();
  await page.getByRole("searchbox", { name: "Find in the log" }).fill(text);
}

export const log_acts = [
  {
    name: "a text is found in all of a long log, torn by colours as it is, and gone to with Enter", url: at_log, needs: ["logged_run"],
    act: async ({ page, rest }) => {
      await find(page, "needle in");
      await page.getByText("3 lines", { exact: true }).waitFor();
      await press(page, "Shift+Enter");
      await page.getByText("2 of 3").waitFor();
      await rest();
      expect((await current(page).innerText()).includes("Needle in line 30001"), `the line is ${await current(page).innerText()}`);
      expect(/^30,?001/.test((await current(page).innerText()).trim()), "the line does not have its number");
      await press(page, "Shift+Enter");
      await page.getByText("1 of 3").waitFor();
      await rest();
      expect((await current(page).innerText()).includes("Needle in line 120"), "the first one is not gone to");
      await press(page, "Enter");
      await page.getByText("2 of 3").waitFor();
      await rest();
      expect((await current(page).innerText()).includes("30001"), "Enter does not lead on");
    },
  },
  {
    name: "upper and lower case are told apart when asked, and Escape ends the search", url: at_log, needs: ["logged_run"], themes: ["light"],
    act: async ({ page }) => {
      await find(page, "needle in");
      await page.getByText("3 lines", { exact: true }).waitFor();
      await page.getByLabel("Aa").check();
      await page.getByText("not found").waitFor();
      await page.getByRole("searchbox", { name: "Find in the log" }).press("Escape");
      expect((await page.getByRole("searchbox", { name: "Find in the log" }).inputValue()) === "", "the search goes on");
    },
  },
  {
    name: "of a progress bar the log shows, and finds, what stood last", url: at_log, needs: ["logged_run"], themes: ["dark"],
    act: async ({ page }) => {
      await find(page, "100%");
      await page.getByText("60 lines", { exact: true }).waitFor();
      await page.getByRole("searchbox", { name: "Find in the log" }).fill("80%");
      await page.getByText("not found").waitFor();
    },
  },
  {
    name: "the whole log is saved, not what the page has of it", url: at_log, needs: ["logged_run"], themes: ["light"],
    act: async ({ page }) => {
      const [saved] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Save all" }).click()]);
      const text = fs.readFileSync(await saved.path(), "utf8");
      expect(text.split("\n").length - 1 >= 60_000, `there are ${text.split("\n").length} lines in the file`);
      expect(text.includes("line 1: loss"), "the beginning is missing");
    },
  },
  {
    name: "the load of the machine has charts of its own behind those of the training", url: ({ logged_run }) => `/runs/${logged_run}`, needs: ["logged_run"],
    act: async ({ page, rest }) => {
      const section = page.getByRole("region", { name: "System" });
      await section.scrollIntoViewIfNeeded();
      await rest();
      for (const name of ["system/cpu_percent", "system/machine_memory_bytes", "system/disk_written_bytes_per_s"]) {
        await section.getByRole("figure", { name }).scrollIntoViewIfNeeded();
        await section.getByRole("figure", { name }).getByRole("img").waitFor();
      }
      await section.scrollIntoViewIfNeeded();
    },
  },
];
