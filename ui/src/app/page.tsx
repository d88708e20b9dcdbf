// What a page tells the frame around it: its title, where it is, and how the same is done without the browser.
import { useEffect, useSyncExternalStore, type ReactNode } from "react";
import { server_url } from "./prefix";

export interface Crumb { name: string; to?: string }
export interface How { what: string; cli?: string; curl?: string; python?: string }

interface Frame { crumbs: Crumb[]; hows: How[] }
let frame: Frame = { crumbs: [], hows: [] };
const watchers = new Set<() => void>();
function change(next: Partial<Frame>) {
  frame = { ...frame, ...next };
  for (const watcher of watchers) watcher();
}
export function useFrame() {
  return useSyncExternalStore((watcher) => { watchers.add(watcher); return () => watchers.delete(watcher); }, () => frame);
}

export function usePage(crumbs: Crumb[], hows: How[]) {
  const text = JSON.stringify([crumbs, hows]);
  useEffect(() => {
    const [crumbs_now, hows_now] = JSON.parse(text) as [Crumb[], How[]];
    change({ crumbs: crumbs_now, hows: hows_now });
    document.title = [...crumbs_now].reverse().map(({ name }) => name).concat("Slipway").join(" · ");
  }, [text]);
}

const shell_quote = (text: string) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replace(/'/g, `'\\''`)}'`);
export const quoted = shell_quote;

/// The curl of a GET, and of a change with a body.
export function curl(path: string, { method = "GET", json }: { method?: string; json?: unknown } = {}): string {
  const head = method === "GET" ? "curl" : `curl -X ${method}`;
  const body = json === undefined ? "" : ` \\\n  -H 'Content-Type: application/json' \\\n  -d ${shell_quote(JSON.stringify(json))}`;
  return `${head} ${shell_quote(server_url() + path)}${body}`;
}

/// The same with nothing but Python's own library.
export function python(path: string, { method = "GET", json }: { method?: string; json?: unknown } = {}): string {
  const request =
    json === undefined
      ? method === "GET" ? `"${server_url()}${path}"` : `urllib.request.Request("${server_url()}${path}", method="${method}")`
      : `urllib.request.Request(\n    "${server_url()}${path}", method="${method}",\n    headers={"Content-Type": "application/json"},\n    data=json.dumps(${python_literal(json)}).encode())`;
  return `import json, urllib.request\n\nanswer = json.load(urllib.request.urlopen(${request}))\nprint(answer)`;
}

export function python_literal(value: unknown): string {
  if (value === null || value === undefined) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (Array.isArray(value)) return `[${value.map(python_literal).join(", ")}]`;
  if (typeof value === "object") return `{${Object.entries(value).map(([key, one]) => `${JSON.stringify(key)}: ${python_literal(one)}`).join(", ")}}`;
  return JSON.stringify(value);
}

/// A page that scrolls as a whole, or one that fills the window and scrolls inside (`fill`).
export { default as page_css } from "./page.module.css";
export type Children = { children: ReactNode };
