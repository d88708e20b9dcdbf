// node pages.mjs URL MADE ROUNDS: what bench/ui measures, inside Chromium; prints one JSON record of lists of milliseconds.
//
// Times are taken in the page: from the event that begins something (a navigation, a click, a key) to the first frame after
// the page shows what was asked for, so that the driver's own way to Chromium is not in them.
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { find_chromium } from "../tests/browser/harness.mjs";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const { chromium } = createRequire(path.join(root, "ui/"))("playwright-core");
const [url, made_text, rounds_text] = process.argv.slice(2);
const made = JSON.parse(made_text);
const rounds = Number(rounds_text);
const kDragMs = 3000;

const browser = await chromium.launch({ executablePath: find_chromium(["chromium"]), args: ["--no-sandbox", "--disable-gpu"] });

/// A page with two helpers in it: `begin(type)` notes the next event of a type, `shown(test)` waits for the frame after `test`
/// holds, and answers the time since.
async function fresh() {
  const context = await browser.newContext({ viewport: { width: 1360, height: 820 }, baseURL: url });
  const page = await context.newPage();
  await page.addInitScript(() => {
    let began = 0;
    window.begin = (type) => addEventListener(type, (event) => { began = event.timeStamp; }, { capture: true, once: true });
    window.shown = (test) => new Promise((resolve) => {
      const look = () => (test() ? requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - began), 0)) : requestAnimationFrame(look));
      look();
    });
    window.rows = () => [...document.querySelectorAll('[role="grid"] [role="row"][aria-selected]')].map((row) => row.textContent);
    window.busy = () => document.querySelector('[role="grid"]')?.getAttribute("aria-busy") === "true";
    window.figure = (name) => document.querySelector(`figure[aria-label="${name}"]`);
    window.points = (name) => Number(/(\d+) points$/.exec(figure(name)?.querySelector('[role="img"]')?.getAttribute("aria-label") ?? "")?.[1] ?? 0);
  });
  return { page, close: () => context.close() };
}

async function table() {
  const { page, close } = await fresh();
  await page.goto(`/runs?experiment=${made.table}`, { waitUntil: "commit" });
  const took = await page.evaluate(() => shown(() => rows().length > 10));
  await close();
  return took;
}

/// Acts on the table and waits until it shows other rows.
async function change(act, type) {
  const { page, close } = await fresh();
  await page.goto(`/runs?experiment=${made.table}`);
  await page.evaluate(() => shown(() => rows().length > 10));
  await page.waitForTimeout(500);
  await act(page);
  await page.evaluate((event) => { window.before = rows()[0]; begin(event); }, type);
  const waiting = page.evaluate(() => shown(() => !busy() && rows().length > 10 && rows()[0] !== window.before));
  await (type === "click" ? page.getByRole("columnheader", { name: "m0", exact: true }).getByRole("button").click() : page.keyboard.press("Enter"));
  const took = await waiting;
  await close();
  return took;
}

const write_filter = async (page) => {
  await page.keyboard.press("f");
  await page.keyboard.type("metrics.m1 < 50");
};

/// The chart of the page of compared runs, which is there already without it.
async function chart() {
  const { page, close } = await open_compared("find=none");
  await page.getByText("No metric has “none” in its name.").waitFor();
  await page.waitForTimeout(300);
  await page.evaluate(() => {
    begin("slipway:bench");
    dispatchEvent(new Event("slipway:bench"));
    const next = new URL(location.href);
    next.searchParams.set("find", "loss");
    history.replaceState(history.state, "", next);
    dispatchEvent(new Event("slipway:moved"));
  });
  const took = await page.evaluate(() => shown(() => points("loss") >= 500));
  await close();
  return took;
}

async function open_compared(rest) {
  const opened = await fresh();
  await opened.page.goto(`/runs/compare?ids=${made.lines.join(",")}&${rest}`);
  return opened;
}

/// From letting go of the mouse to the line of the part that was chosen.
async function zoom() {
  const { page, close } = await open_long();
  const box = await place(page);
  await page.mouse.move(box.x + box.width * 0.5, box.y + 60);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.52, box.y + 60, { steps: 4 });
  await page.evaluate(() => begin("mouseup"));
  const waiting = page.evaluate(() => shown(() => /in view: /.test(figure("loss").textContent)));
  await page.mouse.up();
  const took = await waiting;
  await close();
  return took;
}

async function open_long() {
  const opened = await fresh();
  await opened.page.goto(`/runs/${made.long_run}`);
  await opened.page.evaluate(() => shown(() => points("loss") >= 500));
  return opened;
}

const place = async (page) => page.locator('figure[aria-label="loss"] .u-over').boundingBox();

/// Drags to and fro over a chart; the times between frames, and the work in each.
async function drag({ page, close }) {
  await page.evaluate(() => shown(() => points("loss") >= 500));
  const box = await place(page);
  const trace = await page.context().newCDPSession(page);
  await page.mouse.move(box.x + 20, box.y + 40);
  await page.mouse.down();
  await page.waitForTimeout(200);
  await trace.send("Performance.enable", { timeDomain: "threadTicks" });
  const work_s = async () => (await trace.send("Performance.getMetrics")).metrics.find(({ name }) => name === "TaskDuration").value;
  await page.evaluate((ms) => {
    window.frames_seen = new Promise((resolve) => {
      const times = [];
      const look = (now) => { times.push(now); if (now - times[0] < ms) requestAnimationFrame(look); else resolve(times.slice(1).map((time, i) => time - times[i])); };
      requestAnimationFrame(look);
    });
  }, kDragMs);
  const before = await work_s();
  const began = Date.now();
  for (let step = 0; Date.now() - began < kDragMs; step++) {
    const share = 0.5 + 0.45 * Math.sin(step / 25);
    await page.mouse.move(box.x + box.width * share, box.y + 40 + 80 * Math.abs(Math.cos(step / 40)));
    await page.waitForTimeout(4);
  }
  const frames = await page.evaluate(() => window.frames_seen);
  const work_ms = ((await work_s()) - before) * 1000 / frames.length;
  await page.mouse.up();
  await close();
  return { frames, work_ms };
}

const several = async (measure) => { const times = []; for (let i = 0; i < rounds; i++) times.push(await measure()); return times; };
const found = {};
await table();  // the server's first answer of each kind is not what is asked about
found.table = await several(table);
found.sort = await several(() => change(async () => {}, "click"));
found.filter = await several(() => change(write_filter, "keydown"));
await chart();
found.chart = await several(chart);
found.zoom = await several(zoom);
for (const [name, open] of [["drag_lines", () => open_compared("find=loss")], ["drag_long", open_long]]) {
  const { frames, work_ms } = await drag(await open());
  found[name] = frames;
  found[`${name}_work`] = [work_ms];
}
await browser.close();
console.log(JSON.stringify(found));
