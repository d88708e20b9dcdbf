// URLs are the pages' memory: path, selection, filter, zoom. Small enough to be our own: match a pattern, keep the query.
import { kPrefix, prefixed, unprefixed } from "./prefix";
import { createContext, startTransition, useCallback, useContext, useEffect, useMemo, useState, type AnchorHTMLAttributes, type ReactNode } from "react";

export interface Place { path: string; search: URLSearchParams; base: string }

/// `base` is what stands before every page: the server's prefix and the project's ("/lab/projects/name"), or nothing; `path` is what
/// comes after it.
export function place_of(pathname: string, search: string, prefix = kPrefix): Place {
  const own = unprefixed(pathname, prefix);
  const match = /^(\/projects\/[^/]+)(\/.*)?$/.exec(own);
  const base = prefix + (match?.[1] ?? "");
  const path = (match ? (match[2] ?? "/") : own).replace(/(.)\/+$/, "$1");
  return { path, search: new URLSearchParams(search), base };
}

/// "/runs/{id}" against "/runs/abc" gives {id: "abc"}; "{key...}" takes the rest.
export function match(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split("/");
  const found = path.split("/");
  const values: Record<string, string> = {};
  for (let i = 0; i < wanted.length; i++) {
    const one = wanted[i]!;
    const rest = /^\{(\w+)\.\.\.\}$/.exec(one);
    if (rest) {
      if (i >= found.length) return null;
      values[rest[1]!] = found.slice(i).map(decode).join("/");
      return values;
    }
    const value = found[i];
    if (value === undefined) return null;
    const name = /^\{(\w+)\}$/.exec(one);
    if (name) {
      if (!value) return null;
      values[name[1]!] = decode(value);
    } else if (one !== value) {
      return null;
    }
  }
  return wanted.length === found.length ? values : null;
}

function decode(text: string) {
  try { return decodeURIComponent(text); } catch { return text; }
}

const kMoved = "slipway:moved";

/// To another page, or with `replace` to the same one with another query. `to` begins with "/" and lacks prefix and project.
export function navigate(to: string, { replace = false } = {}) {
  const { base } = place_of(location.pathname, "");
  const full = to.startsWith("/projects/") ? prefixed(to) : base + to;
  if (full === location.pathname + location.search) return;
  if (replace) history.replaceState(history.state, "", full);
  else history.pushState({ within: true }, "", full);
  window.dispatchEvent(new Event(kMoved));
}

/// To where the reader came from within these pages, else to `to`. A list shows its former place again.
export function back_or(to: string) {
  if ((history.state as { within?: boolean } | null)?.within) history.back();
  else navigate(to);
}

/// Changes some values of the query in place; null removes.
export function set_search(changes: Record<string, string | null>, { push = false } = {}) {
  const { path, search } = place_of(location.pathname, location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === "") search.delete(name);
    else search.set(name, value);
  }
  const text = search.toString();
  navigate(text ? `${path}?${text}` : path, { replace: !push });
}

const PlaceContext = createContext<Place>({ path: "/", search: new URLSearchParams(), base: "" });
/// Of its own, so that the hundreds of links of a page are not drawn again with every change of the query.
const BaseContext = createContext("");
export const usePlace = () => useContext(PlaceContext);

export function Router({ children }: { children: ReactNode }) {
  const read = () => place_of(location.pathname, location.search);
  const [place, set_place] = useState(read);
  useEffect(() => {
    let path = read().path;
    const moved = () => {
      const next = read();
      // A new page may still be on its way: keep the old one on screen. A new query must act at once.
      if (next.path === path) set_place(next);
      else startTransition(() => set_place(next));
      path = next.path;
    };
    window.addEventListener("popstate", moved);
    window.addEventListener(kMoved, moved);
    return () => {
      window.removeEventListener("popstate", moved);
      window.removeEventListener(kMoved, moved);
    };
  }, []);
  return <BaseContext value={place.base}><PlaceContext value={place}>{children}</PlaceContext></BaseContext>;
}

/// One value of the query. Setting it replaces the URL (or pushes one more, when going back should undo it).
export function useParam(name: string, otherwise = ""): [string, (value: string | null, options?: { push?: boolean }) => void] {
  const { search } = usePlace();
  const set = useCallback(
    (value: string | null, options?: { push?: boolean }) => set_search({ [name]: value === otherwise ? null : value }, options),
    [name, otherwise],
  );
  return [search.get(name) ?? otherwise, set];
}

/// A list in the query, separated by commas; empty when absent.
export function useListParam(name: string): [string[], (values: string[]) => void] {
  const [text, set] = useParam(name);
  const values = useMemo(() => (text ? text.split(",").map(decode) : []), [text]);
  return [values, useCallback((next: string[]) => set(next.map((value) => value.replace(/[%,]/g, encodeURIComponent)).join(",") || null), [set])];
}

interface LinkProps extends AnchorHTMLAttributes<HTMLAnchorElement> { to: string; replace?: boolean }
export function Link({ to, replace, onClick, ...rest }: LinkProps) {
  const base = useContext(BaseContext);
  return (
    <a
      {...rest}
      href={to.startsWith("/projects/") || to.startsWith("/api/") ? prefixed(to) : base + to}
      onClick={(event) => {
        onClick?.(event);
        if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
        if (to.startsWith("/api/") || rest.target || rest.download !== undefined) return;
        event.preventDefault();
        navigate(to, { replace: replace ?? false });
      }}
    />
  );
}
