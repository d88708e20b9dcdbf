// Where a link or a picture of somebody's Markdown may lead. What is not listed here leads nowhere: it stays text.

import { unprefixed } from "../app/prefix";

/// Within these pages, to another site, or (for pictures) to a file of a run.
export type Target = { kind: "page"; to: string } | { kind: "file"; href: string } | { kind: "outside"; href: string; host: string };

const kOutside = ["https:", "http:", "mailto:"];
const kRun = /^run:([0-9a-f]{32})$/;
const kReport = /^report:([0-9A-Za-z]{26})$/;
const kRunFile = /^run:([0-9a-f]{32})\/(.+)$/s;

/// `href` as it stands in the Markdown; `origin` is this server's. Own pages may be written as /runs/…, run:ID, run:ID/path
/// (a file), report:ID, or with this server's name in front.
export function link_target(href: string, origin: string): Target | null {
  const [run, report, file] = [kRun.exec(href), kReport.exec(href), kRunFile.exec(href)];
  if (run) return { kind: "page", to: `/runs/${run[1]}` };
  if (report) return { kind: "page", to: `/reports/${report[1]}` };
  if (file) return run_file(file[1]!, file[2]!);
  // What has no scheme must say that it is a path: "www.example.org" would be a page of ours that does not exist.
  if (!/^[a-z][a-z0-9+.-]*:/i.test(href) && !href.startsWith("/")) return null;
  const url = parsed(href, origin);
  if (!url || url.username || url.password || !kOutside.includes(url.protocol)) return null;
  if (url.origin !== origin) return { kind: "outside", href: url.href, host: url.host || url.pathname };
  const path = unprefixed(url.pathname);
  return path.startsWith("/api/") ? { kind: "file", href: path + url.search } : { kind: "page", to: path + url.search + url.hash };
}

/// Pictures are files of runs, which the page may show, or lie elsewhere over https, where only a click goes: a page that
/// fetched them by itself would tell another site who reads it.
export function picture_target(src: string, origin: string): Exclude<Target, { kind: "page" }> | null {
  const file = kRunFile.exec(src);
  if (file) return run_file(file[1]!, file[2]!);
  const url = /^https:/i.test(src) || src.startsWith("/") || src.startsWith(origin) ? parsed(src, origin) : null;
  if (!url || url.username || url.password) return null;
  const path = unprefixed(url.pathname);
  if (url.origin === origin) return /^\/api\/v1\/runs\/[0-9a-f]{32}\/artifacts\/content\/./.test(path) ? { kind: "file", href: path } : null;
  return url.protocol === "https:" ? { kind: "outside", href: url.href, host: url.host } : null;
}

function run_file(run: string, path: string): { kind: "file"; href: string } | null {
  const parts = path.split("/").map(decoded);
  if (parts.some((part) => part === "" || part === "." || part === "..")) return null;
  return { kind: "file", href: `/api/v1/runs/${run}/artifacts/content/${parts.map(encodeURIComponent).join("/")}` };
}

function decoded(text: string): string {
  try { return decodeURIComponent(text); } catch { return text; }
}

/// As a browser would understand it, which drops tabs and turns backslashes round.
function parsed(href: string, origin: string): URL | null {
  try { return new URL(href, origin); } catch { return null; }
}

const kNamed: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0", ndash: "–", mdash: "—", hellip: "…", times: "×", micro: "µ", plusmn: "±", deg: "°", middot: "·", larr: "←", rarr: "→", copy: "©", euro: "€" };

/// The characters that entities stand for; what is none stays as it is.
export function without_entities(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]+));/gi, (whole, decimal: string | undefined, hex: string | undefined, name: string | undefined) => {
    if (name !== undefined) return kNamed[name] ?? whole;
    const code = decimal !== undefined ? Number(decimal) : parseInt(hex!, 16);
    return code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff) ? String.fromCodePoint(code) : "\ufffd";
  });
}
