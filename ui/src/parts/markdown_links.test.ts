import { expect, test } from "vitest";
import { link_target, picture_target, without_entities } from "./markdown_links";

const kHere = "https://lab.example";
const kRun = "0".repeat(32);

test("own pages open here, whatever way they are written", () => {
  expect(link_target(`/runs/${kRun}?tab=log`, kHere)).toEqual({ kind: "page", to: `/runs/${kRun}?tab=log` });
  expect(link_target(`run:${kRun}`, kHere)).toEqual({ kind: "page", to: `/runs/${kRun}` });
  expect(link_target(`report:${"A".repeat(26)}`, kHere)).toEqual({ kind: "page", to: `/reports/${"A".repeat(26)}` });
  expect(link_target("https://lab.example/runs", kHere)).toEqual({ kind: "page", to: "/runs" });
  expect(link_target(`run:${kRun}/a b/x.png`, kHere)).toEqual({ kind: "file", href: `/api/v1/runs/${kRun}/artifacts/content/a%20b/x.png` });
});

test("other sites are told apart from own pages as a browser does it", () => {
  expect(link_target("https://example.org/a", kHere)).toEqual({ kind: "outside", href: "https://example.org/a", host: "example.org" });
  expect(link_target("//example.org/a", kHere)).toEqual({ kind: "outside", href: "https://example.org/a", host: "example.org" });
  expect(link_target("/\\example.org/a", kHere)).toEqual({ kind: "outside", href: "https://example.org/a", host: "example.org" });
  expect(link_target("mailto:ada@example.org", kHere)).toMatchObject({ kind: "outside", href: "mailto:ada@example.org" });
});

test("what could run a script or hide where it leads is no link", () => {
  for (const href of ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "\u0001javascript:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "blob:https://lab.example/x", "https://lab.example@evil.example/", "www.example.org", "", "../x"]) {
    expect(link_target(href, kHere), href).toBeNull();
  }
});

test("pictures are files of runs, or lie behind a click over https", () => {
  expect(picture_target(`run:${kRun}/plots/loss.png`, kHere)).toEqual({ kind: "file", href: `/api/v1/runs/${kRun}/artifacts/content/plots/loss.png` });
  expect(picture_target(`/api/v1/runs/${kRun}/artifacts/content/loss.png`, kHere)).toEqual({ kind: "file", href: `/api/v1/runs/${kRun}/artifacts/content/loss.png` });
  expect(picture_target("https://example.org/x.png", kHere)).toEqual({ kind: "outside", href: "https://example.org/x.png", host: "example.org" });
  for (const src of ["http://example.org/x.png", "data:image/svg+xml,<svg onload=alert(1)>", "javascript:alert(1)", "/api/v1/server", `/api/v1/runs/${kRun}/artifacts/content/../../../server`, `run:${kRun}/../../../server`, `run:${kRun}/%2e%2e/x`, "x.png"]) {
    expect(picture_target(src, kHere), src).toBeNull();
  }
});

test("entities are characters, once", () => {
  expect(without_entities("a &lt;b&gt; &amp;lt; &#8364; &#x20AC; &unknown; &#0;")).toBe("a <b> &lt; € € &unknown; \ufffd");
});
