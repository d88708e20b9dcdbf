// Keyboard: one listener, layers of bindings; the newest layer that knows a key wins. "g d" is g, then d.
import { useEffect, useLayoutEffect, useRef } from "react";
import { flushSync } from "react-dom";
import { back_or } from "./router";

export interface Binding { keys: string; what: string; run: (event: KeyboardEvent) => void; group?: string }

const layers: { current: Binding[] }[] = [];
let pending = "";
let pending_until = 0;

/// Every binding that is active now, for the help.
export function active_bindings(): Binding[] {
  const seen = new Set<string>();
  return [...layers].reverse().flatMap((layer) => layer.current).filter(({ keys }) => !seen.has(keys) && seen.add(keys));
}

export function useKeys(bindings: Binding[]) {
  const layer = useRef(bindings);
  useLayoutEffect(() => { layer.current = bindings; });
  useEffect(() => {
    layers.push(layer);
    return () => void layers.splice(layers.indexOf(layer), 1);
  }, []);
}

/// Escape leads back to the list that the page belongs to.
export function useBack(to: string, what = "Back to the list") {
  useKeys([{ keys: "Escape", what, run: () => back_or(to), group: "This page" }]);
}

export function key_name(event: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey">): string {
  const key = event.key === " " ? "Space" : event.key;
  return event.ctrlKey || event.metaKey ? `Ctrl ${key}` : key;
}

function is_typing(target: EventTarget | null) {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !["checkbox", "radio", "button", "range", "submit"].includes(target.type);
  return target.isContentEditable || ["TEXTAREA", "SELECT"].includes(target.tagName);
}

export function start_keys() {
  window.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.altKey) return;
    const name = key_name(event);
    if (is_typing(event.target) && !name.startsWith("Ctrl")) return;
    // Enter and Space belong to a focused button or link.
    if ((name === "Enter" || name === "Space") && event.target instanceof HTMLElement && event.target.closest("a,button,summary,[role=button],dialog")) return;
    if (document.querySelector("dialog[open]") && name !== "Escape") return;
    const now = Date.now();
    const sequence = pending && now < pending_until ? `${pending} ${name}` : name;
    for (const layer of [...layers].reverse()) {
      const binding = layer.current.find(({ keys }) => keys === sequence) ?? layer.current.find(({ keys }) => keys === name && sequence !== name && !pending);
      if (binding) {
        pending = "";
        event.preventDefault();
        // The next key may come at once and must find what this one did.
        flushSync(() => binding.run(event));
        return;
      }
    }
    const starts = layers.some((layer) => layer.current.some(({ keys }) => keys.startsWith(`${name} `)));
    pending = starts ? name : "";
    pending_until = now + 1200;
  });
}
