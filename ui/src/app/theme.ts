// Light, dark, or what the system says.
import { useSyncExternalStore } from "react";

export type Theme = "system" | "light" | "dark";
const kKey = "slipway.theme";
const watchers = new Set<() => void>();

export function theme(): Theme {
  const stored = read();
  return stored === "light" || stored === "dark" ? stored : "system";
}
function read() { try { return localStorage.getItem(kKey); } catch { return null; } }

export function apply_theme(next: Theme = theme()) {
  if (next === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = next;
  for (const watcher of watchers) watcher();
}
export function choose_theme(next: Theme) {
  try { localStorage.setItem(kKey, next); } catch { /* private window */ }
  apply_theme(next);
}

function watch(watcher: () => void) {
  watchers.add(watcher);
  const system = matchMedia("(prefers-color-scheme: dark)");
  system.addEventListener("change", watcher);
  return () => { watchers.delete(watcher); system.removeEventListener("change", watcher); };
}
export const useTheme = () => useSyncExternalStore(watch, theme);
const resolved = () => (theme() === "system" ? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light") : theme());
/// "light" or "dark", for canvases, which cannot use CSS variables.
export const useResolvedTheme = () => useSyncExternalStore(watch, resolved);

/// The value of a token now, for canvases.
export function token(name: string): string {
  const variable = /^var\((--[\w-]+)\)$/.exec(name)?.[1] ?? name;
  return variable.startsWith("--") ? getComputedStyle(document.documentElement).getPropertyValue(variable).trim() : name;
}
