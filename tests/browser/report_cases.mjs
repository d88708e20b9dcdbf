// What a person does with reports and notes, and what must not happen with what they write.
import { expect } from "./harness.mjs";
import { main_says, press } from "./steps.mjs";

export const report_pages = [
  ["reports", "/reports", ["report"]],
  ["report", ({ report }) => `/reports/${report}`, ["report"]],
];

const editor = (page) => page.getByRole("textbox", { name: "The report, Markdown" });
const preview = (page) => page.getByRole("region", { name: "Preview of The report" });
const save = (page) => page.getByRole("button", { name: "Save", exact: true }).first();
const kRunsBlock = "```runs\nexperiment: sweep\norder: metrics.val_loss\ncolumns: params.lr, metrics.val_loss\nlimit: 3\n```";

async function new_report(page, rest, title, text) {
  await page.getByLabel("Title").fill(title);
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await page.waitForURL(/\/reports\/[0-9A-Za-z]{26}\?edit=1$/);
  await rest();
  await editor(page).fill(text);
}

export const report_acts = [
  {
    name: "a report is written with a chart and a table beside its preview, saved, and found by its title", url: "/reports?new=1", needs: ["sweep"],
    act: async ({ page, rest, theme }) => {
      const title = `Which rate, ${theme}`;
      await new_report(page, rest, title, "Smaller is *calmer*.\n\n```chart\nexperiment: sweep\nmetrics: val_loss\ngroup: all but seed\n```\n\n" + kRunsBlock);
      await preview(page).getByRole("figure", { name: "val_loss", exact: true }).waitFor();
      await preview(page).getByRole("region", { name: "Runs" }).locator("tbody tr").nth(2).waitFor();
      await page.keyboard.press("Control+Enter");
      await page.waitForURL(/\/reports\/[0-9A-Za-z]{26}$/);
      await rest();
      const chart = page.getByRole("figure", { name: "val_loss", exact: true });
      await chart.locator("tbody tr").nth(5).waitFor();
      expect((await chart.locator("tbody tr").count()) === 6, "the chart does not group over the seeds");
      expect((await page.getByRole("region", { name: "Runs" }).locator("tbody tr").count()) === 3, "the table has not its three rows");
      await main_says(page, /The first 3 runs of 18 runs of sweep/);
      await main_says(page, /Revision 2, changed/);
      await press(page, "/");
      await page.getByRole("combobox", { name: "Search everything" }).fill(`rate, ${theme}`);
      await page.getByRole("option", { name: title }).waitFor();
      await press(page, "Escape");
      await rest();
    },
  },
  {
    name: "a block that cannot be read says what is wrong, word by word", url: "/reports?new=1", themes: ["light"], needs: ["sweep"],
    act: async ({ page, rest }) => {
      await new_report(page, rest, "Wrong blocks", "```chart\nexperiment: sweeep\n```\n\n```chart\nexperiment: sweep\ncolour: red\n```\n\n```runs\nlimit: 5\n```");
      await preview(page).getByText("there is no experiment “sweeep”").waitFor();
      await preview(page).getByText(/“colour” is no word of a chart block/).waitFor();
      await preview(page).getByText(/the block names no runs/).waitFor();
      await page.evaluate(() => sessionStorage.clear());
    },
  },
  {
    name: "HTML in a report is text, dangerous links are none, and a picture elsewhere waits for a click", url: "/reports?new=1",
    act: async ({ page, rest, theme }) => {
      const asked = [];
      page.on("request", (request) => asked.push(request.url()));
      await page.evaluate(() => { window.hurt = 0; window.alert = () => { window.hurt++; }; });
      await new_report(page, rest, `Hostile, ${theme}`, [
        "<script>alert(1)</script><img src=x onerror=alert(1)>", "", "<svg onload=alert(1)>", "",
        "[one](javascript:alert(1)) [two](JaVa&#x53;cript:alert(1)) [three](data:text/html,<script>alert(1)</script>) [good](https://example.org/a)", "",
        "![x](https://tracker.example/pixel.png) ![y](javascript:alert(1)) ![z](/api/v1/server)", "",
        "<https://example.org/b> `<b>code</b>`",
      ].join("\n"));
      await page.keyboard.press("Control+Enter");
      await page.waitForURL(/\/reports\/[0-9A-Za-z]{26}$/);
      await rest();
      const article = page.locator("article");
      expect((await article.locator("script, img, svg, iframe, style, b").count()) === 0, "HTML became elements");
      const links = await article.locator("a").evaluateAll((all) => all.map((one) => [one.getAttribute("href"), one.rel, one.target]));
      expect(links.every(([href]) => /^https:\/\/(example\.org|tracker\.example)\//.test(href)), `links lead to ${JSON.stringify(links)}`);
      expect(links.every(([, rel, target]) => rel.includes("noopener") && rel.includes("noreferrer") && target === "_blank"), "a link outside gives this page away");
      await main_says(page, /<script>alert\(1\)<\/script>/);
      await main_says(page, /Picture at tracker.example: x/);
      expect((await page.evaluate(() => window.hurt)) === 0, "a script ran");
      expect(!asked.some((url) => /tracker\.example/.test(url)), "the page asked another site by itself");
    },
  },
  {
    name: "a change that meets somebody else's is refused with a sentence, and both are put together", url: "/reports?new=1", allow: /409/,
    act: async ({ page, rest, theme }) => {
      await new_report(page, rest, `Two at once, ${theme}`, "mine");
      const id = /reports\/(\w+)/.exec(page.url())[1];
      const status = await page.evaluate(async (report) => (await fetch(`/api/v1/reports/${report}`, { method: "PATCH", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ revision: 1, text: "theirs" }) })).status, id);
      expect(status === 200, `the other change answered ${status}`);
      await save(page).click();
      await page.getByText(/has been changed meanwhile: it is at revision 2/).waitFor();
      expect((await page.getByRole("region", { name: "The other change" }).innerText()).includes("theirs"), "the other change is not shown");
      expect((await editor(page).inputValue()) === "mine", "one's own text is gone");
      await page.getByRole("button", { name: "I have put both together" }).click();
      await editor(page).fill("theirs and mine");
      await save(page).click();
      await page.waitForURL(/\/reports\/[0-9A-Za-z]{26}$/);
      await rest();
      await main_says(page, /theirs and mine/);
      await main_says(page, /Revision 3/);
    },
  },
  {
    name: "what somebody else saves is said while one writes, and is seen by those who read, without a reload", url: "/reports?new=1", themes: ["light"],
    act: async ({ page, rest }) => {
      await new_report(page, rest, "Seen at once", "mine");
      const id = /reports\/(\w+)/.exec(page.url())[1];
      const others_write = (revision, text) => page.evaluate(async ([report, body]) => { await fetch(`/api/v1/reports/${report}`, { method: "PATCH", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }); }, [id, { revision, text }]);
      await others_write(1, "theirs");
      await page.getByRole("status").filter({ hasText: /saved revision 2/ }).waitFor();
      expect((await editor(page).inputValue()) === "mine", "one's own text is gone");
      await page.getByRole("button", { name: "Show it" }).click();
      expect((await page.getByRole("region", { name: "The other change" }).innerText()).includes("theirs"), "the other change is not shown");
      await page.getByRole("button", { name: "I have put both together" }).click();
      await editor(page).fill("theirs and mine");
      await save(page).click();
      await page.waitForURL(/\/reports\/[0-9A-Za-z]{26}$/);
      await main_says(page, /Revision 3/);
      await others_write(3, "once more theirs");
      await main_says(page, /Revision 4.*once more theirs/s);
      await rest();
    },
  },
  {
    name: "an old revision is looked at and made the newest; a report is deleted, and that is undone", url: "/reports?new=1", themes: ["dark"],
    act: async ({ page, rest }) => {
      await new_report(page, rest, "Twice", "first words");
      await save(page).click();
      await page.waitForURL(/\/reports\/[0-9A-Za-z]{26}$/);
      await rest();
      await press(page, "e");
      await editor(page).fill("second words");
      await save(page).click();
      await main_says(page, /second words/);
      await page.getByRole("button", { name: "Revisions" }).click();
      await page.getByRole("dialog", { name: "Revisions of Twice" }).getByRole("button", { name: /^2/ }).click();
      await page.waitForURL(/revision=2/);
      await main_says(page, /This is revision 2.*first words/s);
      await page.getByRole("button", { name: "Make it the newest" }).click();
      await main_says(page, /Revision 4, changed.*first words/s);
      await page.getByRole("button", { name: "Delete" }).click();
      await page.waitForURL(/\/reports$/);
      await page.getByRole("button", { name: "Undo" }).click();
      await page.waitForURL(/\/reports\/[0-9A-Za-z]{26}$/);
      await rest();
      await main_says(page, /first words/);
    },
  },
  {
    name: "a run has a note in Markdown, which mlflow's clients read as its tag", url: ({ other_run }) => `/runs/${other_run}`, needs: ["other_run"],
    act: async ({ page, rest, made, theme }) => {
      await page.getByRole("button", { name: /Add a note|Edit the note/ }).click();
      await page.getByRole("textbox", { name: "Note, Markdown" }).fill(`Calm, **${theme}**.`);
      await page.keyboard.press("Control+Enter");
      await page.getByRole("region", { name: "Note" }).locator("strong", { hasText: theme }).waitFor();
      await rest();
      const tags = await page.evaluate(async (run) => (await (await fetch(`/api/2.0/mlflow/runs/get?run_id=${run}`)).json()).run.data.tags, made.other_run);
      expect(tags.some(({ key, value }) => key === "mlflow.note.content" && value === `Calm, **${theme}**.`), "the tag has another text");
    },
  },
  {
    name: "an experiment has a note above its runs", url: ({ sweep }) => `/runs?experiment=${sweep}`, needs: ["sweep"],
    act: async ({ page, rest, theme }) => {
      await page.getByRole("button", { name: /^(Add a note|Note)$/ }).click();
      await page.waitForURL(/note=1/);
      await page.locator("main").getByRole("button", { name: /Add a note|Edit the note/ }).last().click();
      await page.getByRole("textbox", { name: "Note, Markdown" }).fill(`Three rates, ${theme}.`);
      await page.keyboard.press("Control+Enter");
      await page.getByRole("region", { name: "Note" }).getByText(`Three rates, ${theme}.`).waitFor();
      await rest();
    },
  },
];
