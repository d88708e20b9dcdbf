// What a person does with the media of runs.
import { expect } from "./harness.mjs";
import { main_says, press } from "./steps.mjs";

const param = (page, name) => new URL(page.url()).searchParams.get(name);
const section = (page, name) => page.getByRole("region", { name, exact: true });

/// Sections are made when they come into view, so the page is scrolled until there is one of that name.
async function scroll_to(page, name) {
  const one = section(page, name);
  const scroll = (top) => page.getByRole("tabpanel").evaluate((panel, top) => {
    let element = panel;
    while (element.parentElement && getComputedStyle(element).overflowY !== "auto") element = element.parentElement;
    element.scrollTop = top;
  }, top);
  for (let top = 0; top < 10_000 && (await one.count()) === 0; top += 400) { await scroll(top); await page.waitForTimeout(80); }
  await one.scrollIntoViewIfNeeded();
  return one;
}

/// Waits for the URL to say it: it is written when the slider rests.
async function says(page, name, value) {
  await page.waitForFunction(([name, value]) => new URL(location.href).searchParams.get(name) === value, [name, value]);
}

export const media_pages = [
  ["run, media", ({ media_run }) => `/runs/${media_run}?tab=media`, ["media_run"]],
  ["media of several runs", ({ media_runs }) => `/runs/compare?ids=${media_runs.join(",")}&tab=media`, ["media_runs"]],
];

export const media_acts = [
  {
    name: "pictures of a run are looked at step by step, with what lies over them", url: ({ media_run }) => `/runs/${media_run}?tab=media&find=samples`, needs: ["media_run"],
    act: async ({ page, rest }) => {
      const samples = section(page, "val/samples");
      const picture = (step) => samples.getByRole("img", { name: `val/samples at step ${step}` });
      await picture(50).waitFor();
      await samples.getByText("step 50 of run 0").waitFor();
      expect((await samples.locator("svg rect").count()) >= 2, "the box is not drawn");
      await press(page, "ArrowLeft", "ArrowLeft");
      await picture(30).waitFor();
      await says(page, "step", "30");
      await press(page, "Home", "ArrowRight");
      await picture(10).waitFor();
      await says(page, "step", "10");
      const painted = () => samples.locator("canvas").evaluate((canvas) => { const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data; return [canvas.width, data.filter((value, i) => i % 4 === 3 && value > 0).length]; });
      await page.waitForFunction(() => document.querySelector("section canvas")?.width === 64);
      const [width, pixels] = await painted();
      expect(width === 64 && pixels === 12 * 14 + 64 * 9, `the mask has ${pixels} pixels of ${width} columns`);
      await page.getByLabel("Boxes").uncheck();
      expect((await samples.locator("svg rect").count()) === 0, "the boxes stay");
      await says(page, "boxes", "off");
      await page.reload();
      await rest();
      await picture(10).waitFor();
      expect((await samples.locator("svg rect").count()) === 0, "the boxes came back");
    },
  },
  {
    name: "a broken picture, a giant one and markup in names do no harm", url: ({ media_run }) => `/runs/${media_run}?tab=media`, needs: ["media_run"],
    act: async ({ page }) => {
      await (await scroll_to(page, "broken")).getByText("not a picture, or a broken one").waitFor();
      await (await scroll_to(page, "giant")).getByText("30,000 × 30,000 pixels are too many").waitFor();
      const hostile = await scroll_to(page, "<img src=x onerror=alert(1)>");
      await hostile.getByRole("heading", { name: "<img src=x onerror=alert(1)>" }).waitFor();
      await hostile.getByRole("paragraph").getByText("<img src=x onerror=alert(1)>").waitFor();
      expect((await page.locator("img[onerror]").count()) === 0, "markup became an element");
      await scroll_to(page, "giant");
    },
  },
  {
    name: "tables, plots, sounds and texts are shown as what they are", url: ({ media_run }) => `/runs/${media_run}?tab=media`, needs: ["media_run"],
    act: async ({ page, rest }) => {
      const roc = await scroll_to(page, "roc");
      await roc.getByRole("img", { name: "roc at step 50: ROC" }).waitFor();
      await roc.getByText("Not drawn: a trace of type mesh3d.").waitFor();
      expect((await (await scroll_to(page, "share")).locator("svg rect").count()) === 2, "Vega's bars are not drawn");
      await (await scroll_to(page, "figure")).getByText("From a page").waitFor();
      const worst = await scroll_to(page, "worst");
      await worst.getByRole("cell", { name: "0.12346" }).waitFor();
      await (await scroll_to(page, "words")).getByRole("columnheader", { name: "count" }).waitFor();
      await (await scroll_to(page, "notes")).getByRole("heading", { name: "Better" }).waitFor();
      const speech = await scroll_to(page, "speech");
      await speech.getByRole("img", { name: "The shape of 1.0 s of sound" }).waitFor();
      const played = await speech.locator("audio").evaluate(async (audio) => { audio.muted = true; await audio.play(); await new Promise((done) => setTimeout(done, 200)); audio.pause(); return audio.currentTime; });
      expect(played > 0, "the sound does not play");
      await rest();
      await scroll_to(page, "roc");
    },
  },
  {
    name: "a page that was logged runs alone in its frame", url: ({ media_run }) => `/runs/${media_run}?tab=media&find=report`, needs: ["media_run"],
    act: async ({ page }) => {
      const frame = page.frameLocator('iframe[title="report at step 50"]');
      await frame.getByText("alone, größer").waitFor();
      expect((await frame.locator("p").evaluate((p) => getComputedStyle(p).color)) === "rgb(10, 90, 10)", "its own styles do not work");
      expect((await page.locator("iframe").getAttribute("sandbox")) === "allow-scripts", "the frame may do more than it should");
      expect(!(await page.title()).includes("taken"), "the frame reached the page");
    },
  },
  {
    name: "a video that was logged plays", url: ({ media_run }) => `/runs/${media_run}?tab=media&find=clip`, needs: ["media_run"], themes: ["light"],
    act: async ({ page, made }) => {
      await page.evaluate(async (run) => {
        const canvas = document.createElement("canvas");
        const context = canvas.getContext("2d");
        const recorder = new MediaRecorder(canvas.captureStream(20), { mimeType: "video/webm" });
        const parts = [];
        recorder.ondataavailable = ({ data }) => parts.push(data);
        const ended = new Promise((done) => { recorder.onstop = done; });
        recorder.start();
        for (let i = 0; i < 20; i++) { context.fillStyle = `rgb(${i * 12}, 80, 120)`; context.fillRect(0, 0, 300, 150); await new Promise((done) => setTimeout(done, 50)); }
        recorder.stop();
        await ended;
        await fetch(`/api/v1/runs/${run}/artifacts/content/media/clip/000000050.webm`, { method: "PUT", body: new Blob(parts, { type: "video/webm" }) });
      }, made.media_run);
      await page.reload();
      const video = page.locator("video");
      await video.waitFor();
      const [width, time] = await video.evaluate(async (element) => { element.muted = true; await element.play(); await new Promise((done) => setTimeout(done, 300)); return [element.videoWidth, element.currentTime]; });
      expect(width === 300 && time > 0, `the video is ${width} wide and at ${time}`);
    },
  },
  {
    name: "a picture that is logged while one looks appears by itself", url: ({ media_run }) => `/runs/${media_run}?tab=media&find=live`, needs: ["media_run"],
    act: async ({ page, rest, made, theme }) => {
      await page.evaluate(async ([run, key]) => {
        const canvas = document.createElement("canvas");
        canvas.getContext("2d").fillRect(20, 20, 60, 60);
        const picture = await new Promise((done) => canvas.toBlob(done, "image/png"));
        await fetch(`/api/v1/runs/${run}/artifacts/content/media/${key}/000000050.png`, { method: "PUT", body: picture });
      }, [made.media_run, `live-${theme}`]);
      await section(page, `live-${theme}`).getByRole("img", { name: `live-${theme} at step 50` }).waitFor();
      await rest();
    },
  },
  {
    name: "runs and steps are compared picture by picture", url: ({ media_runs }) => `/runs/compare?ids=${media_runs.join(",")}&tab=media&step=20`, needs: ["media_runs"],
    act: async ({ page, rest }) => {
      const picture = (run, step) => page.getByRole("img", { name: `val/samples of ${run} at step ${step}` });
      await picture("near", 20).waitFor();
      expect((await page.getByText("nothing at step 20").count()) === 1, "the missing picture is not said to be missing");
      expect((await page.locator('th[aria-current="step"]').innerText()).includes("20"), "the chosen step is not marked");
      await press(page, "ArrowRight");
      await picture("middle", 30).waitFor();
      await says(page, "step", "30");
      const place = await picture("far", 30).boundingBox();
      await page.mouse.move(place.x + 60, place.y + 60);
      await page.keyboard.down("Control");
      await page.mouse.wheel(0, -400);
      await page.keyboard.up("Control");
      await page.waitForFunction(() => /^[2-9]/.test(new URL(location.href).searchParams.get("crop") ?? ""));
      const widths = await page.locator("td figure img").evaluateAll((images) => [...new Set(images.map((image) => Math.round(image.getBoundingClientRect().width)))]);
      expect(widths.length === 1 && widths[0] > 300, `the pictures are ${widths} wide`);
      const crop = param(page, "crop");
      await page.reload();
      await rest();
      await picture("near", 30).waitFor();
      expect(param(page, "crop") === crop && param(page, "step") === "30" && param(page, "ids").split(",").length === 3, "the URL lost something");
    },
  },
  {
    name: "all runs are seen at one step", url: ({ media_runs }) => `/runs/compare?ids=${media_runs.join(",")}&tab=media&step=50`, needs: ["media_runs"],
    act: async ({ page }) => {
      await page.getByLabel("What lies across").selectOption("runs");
      await page.getByRole("img", { name: "val/samples of middle at step 50" }).waitFor();
      await page.getByText("nothing at step 50").waitFor();
      await page.getByLabel("Size of the pictures").selectOption("large");
      await says(page, "size", "large");
    },
  },
  {
    name: "files of a run are looked into: a notebook, a model, a table, and a folder is saved", url: ({ media_run }) => `/runs/${media_run}?tab=artifacts`, needs: ["media_run"],
    act: async ({ page, rest }) => {
      await page.getByRole("link", { name: /look\.ipynb/ }).click();
      await page.getByRole("heading", { name: "A look at the data" }).waitFor();
      await page.getByText("ValueError: no").waitFor();
      await page.getByRole("link", { name: /scores\.csv/ }).click();
      await page.getByRole("columnheader", { name: "score" }).waitFor();
      await page.getByRole("link", { name: /^net\// }).click();
      await page.getByRole("link", { name: /model\.onnx/ }).click();
      await main_says(page, /ai\.onnx \d+/);
      const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "zip", exact: true }).click()]);
      expect(file.suggestedFilename() === "net.zip", `the folder is saved as ${file.suggestedFilename()}`);
      await rest();
    },
  },
  {
    name: "the structure of a model is seen on the page of its version", url: ({ model }) => `/models/${model}/versions/1`, needs: ["model"], themes: ["light"],
    act: async ({ page }) => {
      await page.getByRole("button", { name: /model\.onnx/ }).click();
      await page.getByRole("cell", { name: "Softmax", exact: true }).waitFor();
      await main_says(page, /7,850 numbers in 2 tensors/);
    },
  },
];
