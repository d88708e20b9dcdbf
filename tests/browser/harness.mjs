// What every case of the browser tests does around its own steps: opens Chromium in a theme, listens for errors, waits
// until the page is at rest, and at the end looks for what overflows and for what axe-core objects to.
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
const require = createRequire(path.join(root, "ui/"));
const { chromium } = require("playwright-core");
const axe_source = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const output = path.join(root, "tests/output/browser");

const kCaseMsMax = 60_000;
const kRestMs = 200;
const kLookMs = 50;
const kRestMsMax = 15_000;
const kViewport = { width: 1360, height: 820 };

/// The headless shell draws the same pages for half the work of the whole browser, so the tests prefer it.
export function find_chromium(names = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"]) {
  const folders = (process.env.PATH ?? "").split(":");
  return process.env.CHROMIUM ?? names.flatMap((name) => folders.map((folder) => path.join(folder, name))).find((file) => fs.existsSync(file));
}

export class Failed extends Error {}
export function expect(is_so, otherwise) { if (!is_so) throw new Failed(otherwise); }

/// Runs `cases` in both themes; answers the counts. A case: {name, url, needs?, allow?, act?, themes?}.
export async function run_cases(cases, { base, seed, only }) {
  fs.mkdirSync(output, { recursive: true });
  const counts = { passed: 0, failed: 0, skips: [] };
  const executable = find_chromium();
  if (!executable) {
    counts.skips.push("all: there is no Chromium on this machine; tools/bootstrap test installs it");
    return counts;
  }
  const browser = await chromium.launch({ executablePath: executable, args: ["--no-sandbox", "--disable-gpu", "--renderer-process-limit=1"] });
  for (const theme of ["light", "dark"]) {
    // One for all, with a page that stays, so that one process draws all pages and compiles their scripts once; what a page
    // keeps is forgotten after each case.
    const context = await browser.newContext({ viewport: kViewport, colorScheme: theme, baseURL: base });
    const staying = await context.newPage();
    await staying.goto("/healthz");
    for (const one of cases) {
      if (only && !one.name.includes(only)) continue;
      if (one.themes && !one.themes.includes(theme)) continue;
      const name = `${one.name}, ${theme}`;
      const missing = (one.needs ?? []).find((need) => seed.made[need] === undefined);
      if (missing) { counts.skips.push(`${name}: ${seed.missing[missing] ?? `there is no ${missing}`}`); continue; }
      const problems = await run_case(context, one, theme, base, seed);
      await forget(context, staying);
      if (problems.length === 0) { counts.passed++; console.log(`ok      ${name}`); }
      else { counts.failed++; console.log(`FAILED  ${name}\n        ${problems.join("\n        ")}`); }
    }
    await context.close();
  }
  await browser.close();
  return counts;
}

/// Closes the pages of a case. What belongs to a page alone goes with it.
async function forget(context, staying) {
  await context.clearCookies();
  for (const page of context.pages().filter((one) => one !== staying)) {
    await page.evaluate(() => localStorage.clear()).catch(() => {});
    await page.close().catch(() => {});
  }
}

async function run_case(context, one, theme, base, seed) {
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const problems = [];
  const in_flight = watch(page, problems, one.allow);
  const timer = setTimeout(() => void page.close(), kCaseMsMax);
  try {
    const url = typeof one.url === "function" ? one.url(seed.made) : one.url;
    await page.goto(url, { waitUntil: "domcontentloaded" });
    const rest = () => at_rest(page, in_flight);
    await rest();
    if (one.act) { await one.act({ page, made: seed.made, rest, base, context, theme }); await rest(); }
    await page.screenshot({ path: path.join(output, `${one.name.replace(/\W+/g, "_")}-${theme}.png`) });
    problems.push(...(await page.evaluate(overflows)), ...(await axe(page)));
  } catch (error) {
    problems.push(error instanceof Failed ? error.message : `${error.name}: ${error.message.split("\n").slice(0, 4).join(" ")}`);
    await page.screenshot({ path: path.join(output, `${one.name.replace(/\W+/g, "_")}-${theme}-failed.png`) }).catch(() => {});
  }
  clearTimeout(timer);
  return problems;
}

/// Collects errors of the page, and the requests that are under way (the event stream never ends, so it does not count).
function watch(page, problems, allow) {
  const in_flight = new Set();
  page.on("console", (message) => {
    if (message.type() !== "error" && message.type() !== "warning") return;
    const text = `${message.text()} ${message.location().url ?? ""}`;
    if (!allow?.test(text)) problems.push(`console ${message.type()}: ${text.slice(0, 300)}`);
  });
  page.on("pageerror", (error) => problems.push(`error in the page: ${error.stack?.slice(0, 500) ?? error}`));
  page.on("request", (request) => { if (!/\/events(\?|$)|\/log\/stream/.test(request.url())) in_flight.add(request); });
  for (const event of ["requestfinished", "requestfailed"]) page.on(event, (request) => in_flight.delete(request));
  return in_flight;
}

async function at_rest(page, in_flight) {
  const until = Date.now() + kRestMsMax;
  let since = Date.now();
  while (Date.now() - since < kRestMs) {
    if (Date.now() > until) throw new Failed(`the page is not at rest after ${kRestMsMax / 1000} s; it waits for ${[...in_flight].map((request) => request.url()).join(", ") || "its heading, or its skeleton to go"}`);
    const busy = in_flight.size > 0 || (await page.evaluate(is_loading).catch(() => true));  // no answer: it is between two pages
    if (busy) since = Date.now();
    await page.waitForTimeout(kLookMs);
  }
}

/// Runs in the page.
function is_loading() {
  return !document.querySelector("main h1") || document.querySelector('[aria-label="Loading"]') !== null;
}

/// Runs in the page: what is wider than its place without a scroll bar of its own, and controls that cut their text off.
function overflows() {
  const found = [];
  const name = (element) => `${element.tagName.toLowerCase()}${element.id ? `#${element.id}` : ""}${element.className && typeof element.className === "string" ? `.${element.className.split(" ")[0]}` : ""}`;
  if (document.documentElement.scrollWidth > innerWidth) found.push(`the window is ${document.documentElement.scrollWidth} wide inside ${innerWidth}`);
  for (const place of document.querySelectorAll("main, main > *, dialog[open], aside")) {
    if (place.scrollWidth > place.clientWidth + 1) {
      const widest = [...place.querySelectorAll("*")].find((one) => one.getBoundingClientRect().right > place.getBoundingClientRect().right + 1 && !one.closest('[role="grid"], [role="region"], pre, svg'));
      found.push(`${name(place)} is ${place.scrollWidth} wide inside ${place.clientWidth}${widest ? `, because of ${name(widest)}` : ""}`);
    }
  }
  for (const button of document.querySelectorAll("button, select")) {
    if (button.clientWidth > 0 && button.scrollWidth > button.clientWidth + 1 && !button.querySelector(".clip")) found.push(`the button “${button.textContent.slice(0, 40)}” cuts its text off`);
  }
  return found.slice(0, 5).map((one) => `overflow: ${one}`);
}

/// Frames are left out: those of media are closed off, so that axe could only wait for an answer.
async function axe(page) {
  await page.evaluate(axe_source);
  const violations = await page.evaluate(async () => {
    const result = await window.axe.run(document, { iframes: false, resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"] });
    return result.violations.map(({ id, nodes }) => `${id} at ${nodes.slice(0, 2).map((node) => `${node.target.join(" ")} (${[...node.any, ...node.all, ...node.none][0]?.message ?? ""})`).join(", ")}`);
  });
  return violations.map((one) => `axe: ${one}`);
}
