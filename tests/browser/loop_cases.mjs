// The loop without a terminal: files become a dataset, a run starts, a version is evaluated, promoted, deployed.
import { expect } from "./harness.mjs";
import { main_says, press } from "./steps.mjs";

export const loop_acts = [
  {
    name: "a folder becomes a dataset", url: "/new/dataset", needs: ["pictures"],
    act: async ({ page, made, rest, theme }) => {
      await page.locator('input[type="file"]').setInputFiles(made.pictures);
      await main_says(page, /30 samples.*1 file left out, such as notes\.md/s);
      expect((await page.locator("main table img").count()) === 6, "the first pictures are not shown");
      await page.getByLabel("Dataset", { exact: false }).first().fill(`by-browser-${theme}`);
      await page.getByRole("button", { name: "Send and commit" }).click();
      await page.getByText("The samples are committed.").waitFor({ timeout: 30_000 });
      await page.getByRole("link", { name: `Look at by-browser-${theme}@main` }).click();
      await page.waitForURL(/\/commits\/main/);
      await main_says(page, /30 samples/);
      await rest();
    },
  },
  {
    name: "patterns that join nothing, or leave samples without a file, are explained before anything is sent", url: "/new/dataset", needs: ["pictures"],
    act: async ({ page, made }) => {
      await page.locator('input[type="file"]').setInputFiles(made.pictures);
      const pattern = page.getByLabel("Pattern of label");
      await pattern.fill("labels/{id}.json");
      await main_says(page, /30 things are wrong.*expected labels\/0-0\.json/s);
      expect(await page.getByRole("button", { name: "Send and commit" }).isDisabled(), "it could be sent all the same");
      await pattern.fill("labels/{id");
      await main_says(page, /a \{ without a name/);
    },
  },
  {
    name: "a broken picture is named, and nothing is committed", url: "/new/dataset?name=damaged", needs: ["broken_pictures"], allow: /404/,
    act: async ({ page, made, base }) => {
      await page.locator('input[type="file"]').setInputFiles(made.broken_pictures);
      await page.getByRole("button", { name: "Send and commit" }).click();
      await page.getByText("Nothing was committed.").waitFor({ timeout: 30_000 });
      await main_says(page, /images\/4-1\.png: a broken PNG/);
      expect((await fetch(`${base}/api/v1/datasets/damaged`)).status === 404, "there is a dataset all the same");
    },
  },
  {
    name: "an upload that fails goes on with what is missing", url: "/new/dataset?name=resumed", needs: ["fresh_pictures"], allow: /500/, themes: ["light"],
    act: async ({ page, made, rest }) => {
      let refused = 0;
      await page.route("**/api/v1/blobs/batch", (route) => (refused++ === 0 ? route.fulfill({ status: 500, body: "the disk is gone" }) : route.continue()));
      await page.locator('input[type="file"]').setInputFiles(made.fresh_pictures);
      await page.getByRole("button", { name: "Send and commit" }).click();
      await page.getByText("the disk is gone").waitFor();
      await page.getByRole("button", { name: "Try again" }).click();
      await page.getByText("The samples are committed.").waitFor({ timeout: 30_000 });
      await rest();
    },
  },
  {
    name: "a first run is started from a folder and followed", url: "/new/run", needs: ["code"],
    act: async ({ page, made, rest }) => {
      await page.locator('input[type="file"]').setInputFiles(made.code);
      await main_says(page, /3 files.*commit 11111111 on main.*1 ignored file left out/s);
      const rate = page.getByLabel("lr", { exact: false }).first();
      await rate.fill("2");
      await main_says(page, /expected a number from 0 to 1/);
      expect(await page.getByRole("button", { name: "Start", exact: true }).isDisabled(), "a value out of range could be sent");
      await rate.fill("0.5");
      await main_says(page, /slipway run train lr=0\.5/);
      await page.getByRole("button", { name: "Start", exact: true }).click();
      await page.waitForURL(/\/runs\/[0-9a-f]{32}\?tab=log/);
      await main_says(page, /finished/, 30_000);
      await main_says(page, /--lr.*0\.5/s);
      await rest();
    },
  },
  {
    name: "the code of an earlier run is run again with another value", url: ({ step_run }) => `/new/run?from=run&like=${step_run}`, needs: ["step_run"], themes: ["light"],
    act: async ({ page, rest }) => {
      await page.getByLabel("epochs", { exact: false }).first().fill("3");
      await page.getByRole("button", { name: "Start", exact: true }).click();
      await page.waitForURL(/\/runs\/[0-9a-f]{32}\?tab=log/);
      await main_says(page, /finished/, 30_000);
      await rest();
    },
  },
  {
    name: "a folder without a slipway.yaml says what it lacks", url: "/new/run", needs: ["pictures"], themes: ["light"],
    act: async ({ page, made }) => {
      await page.locator('input[type="file"]').setInputFiles(made.pictures);
      await main_says(page, /no slipway\.yaml in this folder/);
    },
  },
  {
    name: "a version is evaluated from its page", url: ({ model }) => `/models/${model}/versions/1`, needs: ["model", "dataset", "evaluation"], themes: ["dark"],
    act: async ({ page, rest }) => {
      await page.getByRole("button", { name: "Evaluate" }).click();
      await page.getByLabel("On the samples of").selectOption("dataset:segments@test");
      await page.getByRole("dialog").getByRole("button", { name: "Evaluate" }).click();
      await page.waitForURL(/\/evaluations\/\w+/);
      await main_says(page, /accuracy\s*[\d.]+ %\s*.*with 95 % confidence/, 30_000);
      await rest();
    },
  },
  {
    name: "a version is promoted from its page, and that is undone", url: ({ model }) => `/models/${model}/versions/1`, needs: ["model"], themes: ["light"],
    act: async ({ page, rest }) => {
      await page.getByRole("button", { name: "Move an alias here" }).click();
      await page.getByRole("button", { name: "Move", exact: true }).click();
      await page.getByText("production of segments is now version 1.").waitFor();
      await page.getByRole("button", { name: "Undo" }).click();
      await rest();
      await page.goto("/models/segments");
      await main_says(page, /production\s*version 2/);
    },
  },
  {
    name: "the deploy dialog says the command and which version it follows", url: ({ model }) => `/models/${model}`, needs: ["model"],
    act: async ({ page }) => {
      await page.getByRole("button", { name: "Deploy", exact: true }).click();
      const dialog = page.getByRole("dialog", { name: "Deploy segments" });
      await dialog.waitFor();
      expect(/slipway deploy segments --model model:segments@/.test(await dialog.innerText()), "the dialog lacks the command");
    },
  },
  {
    name: "requests that failed are asked again, and the page counts what is right now", url: ({ deployment }) => `/deployments/${deployment}/replay?state=labelled`, needs: ["deployment", "case"],
    act: async ({ page, base, made, rest }) => {
      const { cases } = await (await fetch(`${base}/api/v1/cases?deployment=${made.deployment}&state=open&page_size=5`)).json();
      for (const one of cases) await fetch(`${base}/api/v1/cases/${one.id}`, { method: "PATCH", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ label: one.prediction, state: "labelled" }) });
      await page.reload();
      await page.getByRole("button", { name: /Ask \d+ cases again/ }).click();
      await page.getByRole("button", { name: "Ask again" }).waitFor({ timeout: 20_000 });
      await main_says(page, /Right now\s*\d+/);
      await rest();
    },
  },
  {
    name: "a whole pipeline is started from an earlier run's code", url: ({ step_run }) => `/new/run?from=run&like=${step_run}`, needs: ["step_run", "pipeline_run"], themes: ["light"],
    act: async ({ page, rest }) => {
      await page.getByRole("button", { name: /Run refresh/ }).click();
      await page.waitForURL(/\/pipelines\/\w+/);
      await main_says(page, /finished/, 30_000);
      await rest();
    },
  },
  {
    name: "a branch is merged", url: ({ dataset }) => `/datasets/${dataset}`, needs: ["dataset"], themes: ["dark"],
    act: async ({ page, base, made }) => {
      const post = (path, body) => fetch(`${base}/api/v1/datasets/${made.dataset}/${path}`, { method: path.startsWith("branches") ? "PUT" : "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
      await post("branches/fix", { commit_id: "test" });
      await page.reload();
      await page.getByRole("button", { name: "Merge a branch" }).click();
      await page.getByRole("combobox", { name: "From" }).selectOption("fix");
      await page.getByRole("combobox", { name: "Into" }).selectOption("test");
      await page.getByRole("dialog").getByRole("button", { name: "Merge" }).click();
      await page.getByText(/test of segments is now/).waitFor();
    },
  },
  {
    name: "a description is edited with e, and the edit undone", url: ({ dataset }) => `/datasets/${dataset}`, needs: ["dataset"], themes: ["light"],
    act: async ({ page, rest }) => {
      await press(page, "e");
      await page.getByLabel("Description").fill("Edited in the browser");
      await page.getByRole("button", { name: "Save" }).click();
      await main_says(page, /Edited in the browser/);
      await page.getByRole("button", { name: "Undo" }).click();
      await main_says(page, /Seven-segment digits/);
      await rest();
    },
  },
];
