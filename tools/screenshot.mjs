// node tools/screenshot.mjs URL OUT: looks at a server that the demo filled, in the light theme.
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { find_chromium } from "../tests/browser/harness.mjs";

const require = createRequire(path.join(path.dirname(fileURLToPath(import.meta.url)), "../ui/"));
const { chromium } = require("playwright-core");
const kViewport = { width: 1280, height: 800 };
const kRestMs = 1500;  // after the last answer, for what is drawn from it

const [base, out] = process.argv.slice(2);
const api = async (url) => (await fetch(`${base}/api/v1/${url}`)).json();

const evaluations = (await api("evaluations?model=digits&page_size=100")).evaluations;
const after = evaluations.find((one) => one.version === 2);
const before = evaluations.find((one) => one.version === 1 && one.commit_id === after.commit_id);
// The page that tells most: what a new version changed, slice by slice.
const pages = { comparison: `/evaluations/${before.id}/compare/${after.id}` };

const browser = await chromium.launch({ executablePath: find_chromium(), args: ["--no-sandbox", "--disable-gpu"] });
const page = await (await browser.newContext({ viewport: kViewport, colorScheme: "light", baseURL: base })).newPage();
for (const [name, url] of Object.entries(pages)) {
  await page.goto(url, { waitUntil: "domcontentloaded" });
  await page.locator("main h1").first().waitFor();
  await page.waitForTimeout(kRestMs);
  await page.screenshot({ path: path.join(out, `${name}.png`) });
}
await browser.close();
