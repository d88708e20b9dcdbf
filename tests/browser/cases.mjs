// Every page as a person meets it, and what a person does on it. `needs` names what the seed must have made.
import { compare_acts, sweep_acts, table_acts } from "./compare_cases.mjs";
import { expect } from "./harness.mjs";
import { log_acts } from "./log_cases.mjs";
import { loop_acts } from "./loop_cases.mjs";
import { media_acts, media_pages } from "./media_cases.mjs";
import { monitor_acts } from "./monitor_cases.mjs";
import { main_says, press, text_of } from "./steps.mjs";
import { report_acts, report_pages } from "./report_cases.mjs";
import { trace_acts, trace_pages } from "./trace_cases.mjs";
import { retention_acts } from "./retention_cases.mjs";
import { views_acts } from "./views_cases.mjs";

/// Pages that must look right on a server that holds nothing: each teaches the command that fills it.
export const empty_cases = [
  ["overview", "/", /First steps/],
  ["data", "/datasets", /slipway data add/],
  ["runs", "/runs", /MLFLOW_TRACKING_URI/],
  ["pipelines", "/pipelines", /slipway pipelines run/],
  ["evaluations", "/evaluations", /slipway evaluate/],
  ["models", "/models", /register_model/],
  ["deployments", "/deployments", /slipway deploy/],
  ["findings", "/findings", /noticed nothing/],
  ["cases", "/cases", /feedback/],
  ["traces", "/traces", /mlflow.trace/],
  ["reports", "/reports", /Markdown with live charts/],
].map(([name, url, says]) => ({ name: `an empty project teaches: ${name}`, url, needs: [`api ${name}`], act: ({ page }) => main_says(page, says) }));

const pages = [
  ["overview", "/", ["api overview", "run"]],
  ["data", "/datasets", ["dataset"]],
  ["dataset", ({ dataset }) => `/datasets/${dataset}`, ["dataset"]],
  ["samples", ({ dataset }) => `/datasets/${dataset}/commits/main`, ["dataset"]],
  ["samples as a table", ({ dataset }) => `/datasets/${dataset}/commits/main?as=table`, ["dataset"]],
  ["changes between branches", ({ dataset }) => `/datasets/${dataset}/diff?from=main&to=test`, ["dataset"]],
  ["add files to a dataset", "/new/dataset", []],
  ["runs", "/runs", ["run"]],
  ["new run", "/new/run", []],
  ["new run from earlier code", ({ step_run }) => `/new/run?from=run&like=${step_run}`, ["step_run"]],
  ["run", ({ run }) => `/runs/${run}`, ["run"]],
  ["run, parameters", ({ run }) => `/runs/${run}?tab=parameters`, ["run"]],
  ["run, artifacts", ({ run }) => `/runs/${run}?tab=artifacts`, ["run"]],
  ["run, lineage", ({ run }) => `/runs/${run}?tab=lineage`, ["run"]],
  ["run that Slipway executed", ({ step_run }) => `/runs/${step_run}`, ["step_run"]],
  ["run, log", ({ step_run }) => `/runs/${step_run}?tab=log`, ["step_run"]],
  ["run, code", ({ step_run }) => `/runs/${step_run}?tab=code`, ["step_run"]],
  ["run, environment", ({ step_run }) => `/runs/${step_run}?tab=environment`, ["step_run"]],
  ["run, attempts", ({ step_run }) => `/runs/${step_run}?tab=attempts`, ["step_run"]],
  ["pipelines", "/pipelines", ["pipeline_run"]],
  ["pipeline run", ({ pipeline_run }) => `/pipelines/${pipeline_run}`, ["pipeline_run"]],
  ["evaluations", "/evaluations", ["evaluation"]],
  ["evaluation", ({ evaluation }) => `/evaluations/${evaluation}?filter=all`, ["evaluation"]],
  ["comparison of evaluations", ({ evaluation, other_evaluation }) => `/evaluations/${evaluation}/compare/${other_evaluation}`, ["evaluation", "other_evaluation"]],
  ["models", "/models", ["model"]],
  ["model", ({ model }) => `/models/${model}`, ["model"]],
  ["model version", ({ model }) => `/models/${model}/versions/1`, ["model"]],
  ["deployments", "/deployments", ["deployment"]],
  ["deployment", ({ deployment }) => `/deployments/${deployment}`, ["deployment"]],
  ["deployment, drift", ({ deployment }) => `/deployments/${deployment}?tab=drift`, ["deployment"]],
  ["deployment, revisions", ({ deployment }) => `/deployments/${deployment}?tab=revisions`, ["deployment"]],
  ["deployment, settings", ({ deployment }) => `/deployments/${deployment}?tab=settings`, ["deployment"]],
  ["replay", ({ deployment }) => `/deployments/${deployment}/replay`, ["deployment"]],
  ["why", ({ answer }) => `/why/${answer}`, ["answer"]],
  ["findings", "/findings", ["finding"]],
  ["finding", ({ finding }) => `/findings/${finding}`, ["finding"]],
  ["cases", "/cases?state=any", ["case"]],
  ["case", ({ one_case, ...made }) => `/cases/${made.case}`, ["case"]],
  ...trace_pages,
  ...media_pages,
  ...report_pages,
  ["settings, tokens", "/settings", []],
  ["settings, members", "/settings?tab=members", []],
  ["settings, projects", "/settings?tab=projects", []],
  ["settings, usage", "/settings?tab=usage", []],
  ["settings, retention", "/settings?tab=retention", []],
  ["settings, server", "/settings?tab=server", []],
  ["settings, audit trail", "/settings/audit?action=create", []],
  ["sign in", "/login", []],
].map(([name, url, needs]) => ({
  name: `the page: ${name}`, url, needs,
  act: async ({ page }) => {
    expect((await page.locator("main h1").first().innerText()) !== "No such page", "there is no such page");
    const alerts = await page.locator('main [role="alert"]').allInnerTexts();
    expect(alerts.length === 0, `the page shows a problem: ${alerts.join(" · ").slice(0, 300)}`);
  },
}));

const acts = [
  ...loop_acts,
  ...log_acts,
  ...monitor_acts,
  ...trace_acts,
  ...media_acts,
  ...report_acts,
  ...compare_acts,
  ...table_acts,
  ...sweep_acts,
  ...retention_acts,
  ...views_acts,
  {
    name: "Ctrl K finds a command", url: "/models",
    act: async ({ page, rest }) => {
      await page.keyboard.press("Control+k");
      await page.keyboard.type("new run");
      await page.getByRole("option", { name: /New run/ }).waitFor();
      await press(page, "Enter");
      await page.waitForURL(/\/new\/run$/);
      await rest();
    },
  },
  {
    name: "Escape leads from a run back to the same place in the list", url: ({ many_runs }) => `/runs?experiment=${many_runs}`, needs: ["many_runs"], themes: ["light"],
    act: async ({ page, rest }) => {
      const grid = page.getByRole("grid", { name: "Runs" });
      await grid.evaluate((element) => { element.scrollTop = 1500; });
      await page.getByRole("link", { name: "row-060" }).click();
      await page.waitForURL(/\/runs\/[0-9a-f]{32}$/);
      await rest();
      await press(page, "Escape");
      await page.waitForURL(/experiment=/);
      await rest();
      expect(Math.abs((await grid.evaluate((element) => element.scrollTop)) - 1500) < 2, "the list shows another place");
    },
  },
  {
    name: "a plot is smoothed on a log scale, says so, and is saved as numbers", url: ({ run }) => `/runs/${run}?log=1&smooth=0.9`, needs: ["run"], themes: ["light"],
    act: async ({ page, rest }) => {
      const plot = page.getByRole("figure", { name: "loss" });
      await plot.waitFor();
      expect(/smoothed 0\.9.*log scale/s.test(await plot.innerText()), "the plot does not say what was done to its line");
      await plot.getByRole("button", { name: "Save" }).click();
      const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "CSV, numbers" }).click()]);
      expect(file.suggestedFilename() === "loss.csv", "the file has another name");
      await rest();
    },
  },
  {
    name: "a path that does not exist is said to be none", url: "/nowhere/at/all",
    act: ({ page }) => main_says(page, /There is no page at/),
  },
  {
    name: "a run that does not exist is the server's sentence", url: "/runs/00000000000000000000000000000000", needs: ["api runs"], allow: /404/,
    act: async ({ page }) => expect((await text_of(page, 'main [role="alert"]')).length > 10, "no sentence"),
  },
  {
    name: "search finds a run by its name, from anywhere", url: "/", needs: ["run", "api search"],
    act: async ({ page, made, rest }) => {
      await press(page, "/");
      await page.keyboard.type(made.run_name);
      await page.getByRole("option", { name: new RegExp(made.run_name) }).first().waitFor();
      await press(page, "Enter");
      await page.waitForURL(/\/runs\/[0-9a-f]{32}/);
      await rest();
    },
  },
  {
    name: "the keys are listed, and g m goes to the models", url: "/",
    act: async ({ page, rest }) => {
      await press(page, "?");
      await page.getByRole("dialog", { name: "Keys" }).waitFor();
      await press(page, "Escape", "g", "m");
      await page.waitForURL(/\/models$/);
      await rest();
      await press(page, "?");
    },
  },
  {
    name: "the how drawer shows command, curl and Python", url: "/runs", needs: ["run"],
    act: async ({ page }) => {
      await press(page, "h");
      const drawer = page.getByRole("complementary", { name: "How to do the same" });
      await drawer.waitFor();
      const text = await drawer.innerText();
      for (const wanted of ["slipway runs list", "curl", "import mlflow"]) expect(text.includes(wanted), `the drawer lacks ${wanted}`);
    },
  },
  {
    name: "the theme can be chosen and stays", url: "/runs", themes: ["light"],
    act: async ({ page, rest }) => {
      await page.getByRole("button", { name: "Theme" }).click();
      await page.getByLabel("Dark", { exact: true }).click();
      await page.reload();
      await rest();
      expect((await page.evaluate(() => document.documentElement.dataset.theme)) === "dark", "the theme was forgotten");
    },
  },
  {
    name: "a wrong filter is explained under the box, and a right one narrows the list", url: "/runs", needs: ["run"], allow: /400/,
    act: async ({ page, rest }) => {
      const box = page.getByRole("combobox", { name: "Filter" });
      await box.fill("metrics.loss wrong");
      await box.press("Enter");
      await page.getByRole("alert").waitFor();
      expect((await page.getByRole("alert").innerText()).length > 10, "no sentence under the box");
      await box.fill("params.lr = '0.1'");
      await box.press("Enter");
      await page.getByRole("alert").waitFor({ state: "hidden" });
      await rest();
      expect(page.url().includes("filter="), "the filter is not in the URL");
      const shown = await page.getByRole("row").count();
      expect(shown >= 2, "no run is left");
    },
  },
  {
    name: "runs are sorted by a metric with a click, and the order is in the URL", url: "/runs", needs: ["run"],
    act: async ({ page, rest }) => {
      await page.getByRole("columnheader", { name: "loss", exact: true }).getByRole("button").click();
      await rest();
      expect(/sort=/.test(page.url()), "the order is not in the URL");
      expect((await page.locator('[aria-sort]').count()) === 1, "no column says that it sorts");
    },
  },
  {
    name: "a run opens beside the list by keyboard and closes at the same place", url: "/runs", needs: ["run"],
    act: async ({ page, rest }) => {
      await page.locator('[role="row"][aria-selected]').nth(1).waitFor();
      await press(page, "j", "j", "Enter");
      const beside = page.getByRole("region", { name: "The run beside the list" });
      await beside.waitFor();
      await rest();
      await press(page, "Escape");
      await beside.waitFor({ state: "hidden" });
      await press(page, "j", "Enter");
      await beside.waitFor();
    },
  },
  {
    name: "two runs are selected and compared by keyboard", url: "/runs", needs: ["run", "other_run"],
    act: async ({ page, rest }) => {
      await page.locator('[role="row"][aria-selected]').nth(1).waitFor();
      await press(page, "j", "x", "j", "x", "c");
      await page.waitForURL(/\/runs\/compare/);
      await rest();
      expect((await page.locator("main canvas").count()) > 0, "no plot is drawn");
      await page.getByRole("tab", { name: "Side by side" }).click();
      await main_says(page, /Parameters/);
      await rest();
    },
  },
  {
    name: "a metric that is logged while one looks appears without a reload", url: ({ run }) => `/runs/${run}`, needs: ["run", "api events"], themes: ["light"],
    act: async ({ page, made, base }) => {
      const value = "0.00123";
      await page.waitForTimeout(300);
      await fetch(`${base}/api/2.0/mlflow/runs/log-metric`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ run_id: made.run, key: "live", value: Number(value), timestamp: Date.now(), step: 1 }) });
      await page.getByText(value).first().waitFor({ timeout: 5000 });
    },
  },
  {
    name: "plots are drawn, zoomed by dragging, and the zoom is in the URL", url: ({ run }) => `/runs/${run}`, needs: ["run"],
    act: async ({ page, rest }) => {
      const plot = page.locator("main .u-over").first();
      const box = await plot.boundingBox();
      await page.mouse.move(box.x + box.width * 0.3, box.y + 40);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width * 0.7, box.y + 40, { steps: 6 });
      await page.mouse.up();
      await page.waitForURL(/zoom=/);
      await rest();
      await plot.dblclick();
      await page.waitForURL((url) => !url.search.includes("zoom="));
    },
  },
  {
    name: "columns are chosen and stay in the URL", url: "/runs", needs: ["run"],
    act: async ({ page, rest }) => {
      await page.getByRole("button", { name: "Columns" }).click();
      await page.getByLabel("Id", { exact: true }).check();
      await rest();
      expect(/columns=/.test(page.url()), "the columns are not in the URL");
      await press(page, "Escape");
      await page.getByRole("columnheader", { name: "Id", exact: true }).waitFor();
    },
  },
  {
    name: "a column is widened and pinned, and both stay", url: "/runs", needs: ["run"], themes: ["light"],
    act: async ({ page, rest }) => {
      const head = page.getByRole("columnheader", { name: "State", exact: true });
      const before = await head.boundingBox();
      await page.mouse.move(before.x + before.width - 3, before.y + 10);
      await page.mouse.down();
      await page.mouse.move(before.x + before.width + 57, before.y + 10, { steps: 4 });
      await page.mouse.up();
      await page.getByRole("button", { name: "Columns" }).click();
      await page.getByRole("listitem").filter({ has: page.getByLabel("State", { exact: true }) }).getByRole("button", { name: "Pin" }).click();
      await page.waitForURL(/pins=state/);
      await page.reload();
      await rest();
      const after = await head.boundingBox();
      expect(Math.abs(after.width - before.width - 60) < 4, `the column is ${after.width} wide, it was ${before.width}`);
      expect((await head.evaluate((element) => getComputedStyle(element).position)) === "sticky", "the column is not pinned");
      const lefts = (role) => page.getByRole("row").nth(role === "columnheader" ? 0 : 1).getByRole(role).evaluateAll((all) => all.map((one) => Math.round(one.getBoundingClientRect().left)));
      expect(String(await lefts("gridcell")) === String(await lefts("columnheader")), "cells do not stand under their heads");
      expect((await page.getByRole("gridcell", { name: /finished|running|failed/ }).first().boundingBox()).x < after.x + 4, "the pinned column is not the first");
    },
  },
  {
    name: "the filter box completes a word", url: "/runs", needs: ["run"], themes: ["light"],
    act: async ({ page, rest }) => {
      await press(page, "f");
      await page.keyboard.type("metrics.val");
      await page.getByRole("option", { name: "metrics.val_acc" }).waitFor();
      await press(page, "Tab");
      await page.keyboard.type("> 0.9");
      await press(page, "Enter");
      await page.waitForURL(/filter=metrics.val_acc/);
      await rest();
      expect((await page.getByRole("row").count()) === 4, "other runs than the three with that metric are shown");
    },
  },
  {
    name: "a view keeps filter and order under a name", url: "/runs?filter=state%20%3D%20'failed'&sort=-metrics.loss", needs: ["run"], themes: ["dark"],
    act: async ({ page, rest }) => {
      await page.getByRole("button", { name: "Views" }).click();
      await page.getByLabel("Name of this view").fill("what failed");
      await page.getByRole("button", { name: "Save", exact: true }).click();
      await page.goto("/runs");
      await page.getByRole("button", { name: "Views" }).click();
      await page.getByRole("button", { name: "what failed", exact: true }).click();
      await page.waitForURL(/filter=/);
      await rest();
      await page.getByRole("button", { name: "View: what failed" }).waitFor();
    },
  },
  {
    name: "a time says its exact moment on hover", url: "/runs", needs: ["run"], themes: ["light"],
    act: async ({ page }) => {
      const title = await page.locator("main time").first().getAttribute("title");
      expect(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/.test(title ?? ""), `the title is “${title}”`);
    },
  },
  {
    name: "samples are filtered, and one opens beside the grid", url: ({ dataset }) => `/datasets/${dataset}/commits/main`, needs: ["dataset"],
    act: async ({ page, rest }) => {
      await page.getByRole("listbox").getByRole("option").first().waitFor();
      await press(page, "j", "Enter");
      await page.getByRole("region", { name: "The sample beside the grid" }).waitFor();
      await rest();
      expect((await page.locator("main canvas").count()) === 1, "the sample's picture is not drawn");
    },
  },
  {
    name: "a stored pipeline is started with another parameter, and again", url: ({ stored_pipeline }) => `/pipelines?pipeline=${stored_pipeline}`, needs: ["stored_pipeline"], themes: ["light"],
    act: async ({ page, rest }) => {
      await main_says(page, /cron 0 3 1 1 \*/);
      await page.getByRole("button", { name: "Run refresh" }).click();
      const dialog = page.getByRole("dialog", { name: "Run refresh" });
      await dialog.getByLabel("lr").fill("0.5");
      expect((await dialog.innerText()).includes("slipway pipelines run refresh --stored train.lr=0.5"), "the dialog lacks the command");
      await dialog.getByRole("button", { name: "Start" }).click();
      await page.waitForURL(/\/pipelines\/0[0-9A-Za-z]{25}/);
      await page.getByRole("button", { name: "Run again" }).waitFor({ timeout: 30_000 });
      await main_says(page, /started by hand/);
      const first = page.url();
      await page.getByRole("button", { name: "Run again" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Start" }).click();
      await page.waitForURL((url) => url.href !== first);
      await page.getByRole("button", { name: "Run again" }).waitFor({ timeout: 30_000 });
      await rest();
      await main_says(page, /a rerun of pipeline run/);
    },
  },
  {
    name: "a pipeline is kept from starting by itself, and allowed to again", url: ({ stored_pipeline }) => `/pipelines?pipeline=${stored_pipeline}`, needs: ["stored_pipeline"], themes: ["dark"],
    act: async ({ page, rest }) => {
      const by_itself = page.getByRole("switch", { name: /starts by itself/ });
      expect(await by_itself.isChecked(), "the pipeline is not enabled");
      await by_itself.uncheck();
      await page.getByText(/starts only when somebody starts it/).waitFor();
      await rest();
      await by_itself.check();
      await page.getByText(/starts by itself from now on/).waitFor();
      await rest();
    },
  },
  {
    name: "an alias is moved, and the move can be undone", url: ({ model }) => `/models/${model}`, needs: ["model"], themes: ["light"],
    act: async ({ page, rest }) => {
      await page.getByRole("button", { name: "Move an alias" }).click();
      await page.getByRole("combobox", { name: /^Alias/ }).fill("candidate");
      await page.getByRole("button", { name: "Move", exact: true }).click();
      await page.getByText(/candidate of .* is now version/).waitFor();
      await rest();
      await main_says(page, /candidate/);
    },
  },
  {
    name: "a digit is drawn, answered, said to be wrong, and explained", url: ({ deployment }) => `/deployments/${deployment}/try`, needs: ["deployment"],
    act: async ({ page, rest }) => {
      const box = await page.getByRole("img", { name: /Board/ }).boundingBox();
      await page.mouse.move(box.x + 140, box.y + 50);
      await page.mouse.down();
      await page.mouse.move(box.x + 140, box.y + 230, { steps: 10 });
      await page.mouse.up();
      await page.getByText("there and back").waitFor();
      await page.getByLabel(/Wrong, it is/).selectOption({ index: 1 });
      await page.getByRole("button", { name: "Send", exact: true }).click();
      await page.getByText("Your feedback is kept.").waitFor();
      await page.getByRole("link", { name: "Why this answer" }).click();
      await page.waitForURL(/\/why\//);
      await rest();
      await main_says(page, /What it came from/);
    },
  },
  {
    name: "cases are labelled by keyboard, and undone", url: "/cases", needs: ["case"], themes: ["light"],
    act: async ({ page, rest }) => {
      await press(page, "j");
      await rest();
      await press(page, "d");
      await page.getByText(/1 case dismissed/).waitFor();
      await page.getByRole("button", { name: "Undo" }).click();
      await rest();
    },
  },
  {
    name: "the dialog that sends cases says what it will do", url: "/cases?state=any", needs: ["case", "dataset"],
    act: async ({ page }) => {
      await press(page, "s");
      await page.getByRole("dialog", { name: "Send cases to a dataset" }).waitFor();
      expect((await page.getByRole("dialog").innerText()).includes("slipway cases send"), "the dialog lacks the command");
    },
  },
  {
    name: "a token is made, shown once, and revoked", url: "/settings", themes: ["dark"],
    act: async ({ page, rest }) => {
      await page.getByLabel("What the token is for").fill("browser test");
      await page.getByRole("button", { name: "Make a token" }).click();
      await page.getByText("It is shown this once.").waitFor();
      await press(page, "Escape");
      await rest();
      await page.getByRole("row", { name: /browser test/ }).getByRole("button", { name: "Revoke" }).click();
      await page.getByRole("row", { name: /browser test/ }).waitFor({ state: "detached" });
    },
  },
  {
    name: "the page holds to a strict content security policy", url: "/", themes: ["light"],
    act: async ({ page }) => {
      const response = await page.request.get("/");
      const policy = response.headers()["content-security-policy"] ?? "";
      expect(policy.includes("default-src 'none'") && policy.includes("script-src 'self'") && !policy.includes("unsafe"), `the policy is “${policy}”`);
      expect(response.headers()["cache-control"] === "no-cache", "the page itself may be kept too long");
      const script = /src="(\/assets\/[^"]+\.js)"/.exec(await response.text());
      const asset = await page.request.get(script[1]);
      expect(asset.headers()["cache-control"].includes("immutable"), "the script is not kept for ever");
      expect(asset.headers()["content-encoding"] === "gzip", "the script is not sent compressed");
    },
  },
  {
    name: "the first page is under 400 KB and painted within a second", url: "/", themes: ["light"],
    act: async ({ page, rest }) => {
      await page.reload();
      await rest();
      const [kilobytes, paint_ms] = await page.evaluate(() => [
        performance.getEntriesByType("resource").filter(({ name }) => name.includes("/assets/")).reduce((sum, one) => sum + one.encodedBodySize, 0) / 1024,
        performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0,
      ]);
      expect(kilobytes < 400, `the first page takes ${Math.round(kilobytes)} KB`);
      expect(paint_ms < 1000, `the first paint came after ${Math.round(paint_ms)} ms`);
    },
  },
];

export const cases = [...pages, ...acts];
