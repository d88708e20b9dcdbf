// The frame around every page: rail, top bar, search, help, the "how" drawer.
import { Component, Suspense, useEffect, useState, useSyncExternalStore, type ReactNode } from "react";
import { useGet } from "../api/hooks";
import { project } from "../api/client";
import { stream_state, watch_stream } from "../api/events";
import type { Server } from "../api/types";
import { Notices, Popover, Problem, Skeleton, Empty } from "../parts/basics";
import { bytes } from "../parts/format";
import { DiskBanner } from "./disk_banner";
import { active_bindings, useKeys } from "./keys";
import { How } from "./how";
import { Palette } from "./palette";
import { useFrame } from "./page";
import { prefixed } from "./prefix";
import { Link, match, navigate, usePlace } from "./router";
import { rail, routes } from "./routes";
import { choose_theme, useTheme, type Theme } from "./theme";
import { Dialog } from "../parts/basics";
import css from "./shell.module.css";

export function Shell() {
  const { path } = usePlace();
  const [open, set_open] = useState<"palette" | "keys" | null>(null);
  const [how, set_how] = useState(() => localStorage.getItem("slipway.how") === "open");
  const toggle_how = () => { localStorage.setItem("slipway.how", how ? "closed" : "open"); set_how(!how); };
  useKeys([
    { keys: "/", what: "Search everything", run: () => set_open("palette"), group: "Anywhere" },
    { keys: "Ctrl k", what: "Search everything", run: () => set_open("palette"), group: "Anywhere" },
    { keys: "?", what: "Show all keys", run: () => set_open("keys"), group: "Anywhere" },
    { keys: "h", what: "How the same is done by command, curl, Python", run: toggle_how, group: "Anywhere" },
    ...rail.map(({ name, to, key }) => ({ keys: `g ${key}`, what: `Go to ${name}`, run: () => navigate(to), group: "Go to" })),
  ]);
  return (
    <div className={css.shell}>
      <a className={css.skip} href="#page">Skip to the page</a>
      <Rail path={path} />
      <div className={css.main}>
        <TopBar onSearch={() => set_open("palette")} onKeys={() => set_open("keys")} how={how} onHow={toggle_how} />
        <DiskBanner />
        <div className={css.content}>
          <main id="page" tabIndex={-1} className={css.page}><Page path={path} /></main>
          {how && <How onClose={toggle_how} />}
        </div>
      </div>
      {open === "palette" && <Palette onClose={() => set_open(null)} />}
      {open === "keys" && <KeyHelp onClose={() => set_open(null)} />}
      <Notices />
    </div>
  );
}

function Page({ path }: { path: string }) {
  const found = find_route(path);
  if (!found) return <div className={css.lost}><h1>No such page</h1><Empty command="slipway status">There is no page at {path}. The rail on the left has all that exist.</Empty></div>;
  const { page: Content, values, pattern } = found;
  return (
    <Guard key={path}>
      <Suspense fallback={<div className={css.lost}><Skeleton rows={10} /></div>}>
        <Content key={pattern + JSON.stringify(values)} {...values} />
      </Suspense>
    </Guard>
  );
}

export function find_route(path: string) {
  // Literal parts win over {parts}: /runs/compare is not a run.
  const candidates = routes.flatMap((route) => {
    const values = match(route.pattern, path);
    return values ? [{ ...route, values }] : [];
  });
  return candidates.sort((a, b) => a.pattern.split("{").length - b.pattern.split("{").length)[0];
}

/// A page that fails to draw takes itself down, not the frame.
class Guard extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state: { error: Error | null } = { error: null };
  static getDerivedStateFromError(error: Error) { return { error }; }
  override render() {
    if (!this.state.error) return this.props.children;
    const loading = /dynamically imported module|module script/i.test(this.state.error.message);
    return (
      <div className={css.lost}>
        <Problem
          error={loading ? new Error("This page's program could not be loaded. The server may have been upgraded: load the page again.") : this.state.error}
          what={loading ? "" : "This page failed to draw, which is a bug of ours"}
          again={() => (loading ? location.reload() : this.setState({ error: null }))}
        />
      </div>
    );
  }
}

function Rail({ path }: { path: string }) {
  const { data } = useGet<Server>(["server"], "/api/v1/server", { stale_ms: 60_000 });
  const here = project();
  return (
    <nav className={css.rail} aria-label="Main">
      <Link to="/" className={css.brand}>Slipway</Link>
      {data && data.projects.length > 1 && (
        <select
          aria-label="Project" value={here}
          onChange={(event) => { location.href = prefixed(event.target.value === "default" ? "/" : `/projects/${encodeURIComponent(event.target.value)}/`); }}
        >
          {data.projects.map(({ id, name }) => <option key={id} value={name}>{name}</option>)}
        </select>
      )}
      <ul>
        {rail.map(({ name, to, key }) => {
          const current = to === "/" ? path === "/" : path === to || path.startsWith(`${to}/`) || (to === "/deployments" && path.startsWith("/why/")) || (to === "/datasets" && path === "/new/dataset") || (to === "/runs" && path === "/new/run");
          return <li key={to}><Link to={to} aria-current={current ? "page" : undefined} title={`g ${key}`} onPointerEnter={() => preload(to)}>{name}</Link></li>;
        })}
      </ul>
      <div className={css.foot}>
        <Stream />
        {data && <span title={`${data.database} · ${bytes(data.data_bytes_free)} free on disk`}>Version {data.version}</span>}
      </div>
    </nav>
  );
}
function preload(to: string) { void find_route(to)?.load().catch(() => {}); }

function Stream() {
  const state = useSyncExternalStore(watch_stream, stream_state);
  const words = { connecting: "Connecting", live: "Live", paused: "Paused: no connection" }[state];
  return <span className={css[state]} role="status"><span aria-hidden="true">{state === "live" ? "●" : state === "paused" ? "◆" : "○"}</span> {words}</span>;
}

function TopBar({ onSearch, onKeys, how, onHow }: { onSearch: () => void; onKeys: () => void; how: boolean; onHow: () => void }) {
  const { crumbs } = useFrame();
  const { data } = useGet<Server>(["server"], "/api/v1/server", { stale_ms: 60_000 });
  return (
    <header className={css.top}>
      <nav aria-label="Breadcrumbs" className={css.crumbs}>
        <ol>
          {crumbs.map(({ name, to }, i) => (
            <li key={i}>{to && i < crumbs.length - 1 ? <Link to={to}>{name}</Link> : <span aria-current="page">{name}</span>}</li>
          ))}
        </ol>
      </nav>
      <button type="button" className={css.search} onClick={onSearch}>Search <kbd>/</kbd></button>
      <button type="button" className="plain" aria-pressed={how} onClick={onHow}>How</button>
      <button type="button" className="plain" onClick={onKeys} aria-label="Keys">Keys</button>
      <ThemeSwitch />
      {data?.member && <span className={css.member} title={data.member.role}>{data.member.name}</span>}
    </header>
  );
}

function ThemeSwitch() {
  const now = useTheme();
  const names: Record<Theme, string> = { system: "As the system", light: "Light", dark: "Dark" };
  return (
    <Popover button="Theme" name="Theme" align="right" className="plain">
      {(close) => (
        <div className="stack">
          {(Object.keys(names) as Theme[]).map((one) => (
            <label key={one}><input type="radio" name="theme" checked={one === now} onChange={() => { choose_theme(one); close(); }} /> {names[one]}</label>
          ))}
        </div>
      )}
    </Popover>
  );
}

function KeyHelp({ onClose }: { onClose: () => void }) {
  const [bindings] = useState(active_bindings);
  const groups = new Map<string, typeof bindings>();
  for (const binding of bindings) groups.set(binding.group ?? "This page", [...(groups.get(binding.group ?? "This page") ?? []), binding]);
  return (
    <Dialog title="Keys" onClose={onClose} wide>
      <div className={css.keys}>
        {[...groups].map(([group, list]) => (
          <section key={group}>
            <h3>{group}</h3>
            <dl>{list.map(({ keys, what }) => <div key={keys}><dt>{keys.split(" ").map((key, i) => <kbd key={i}>{key}</kbd>)}</dt><dd>{what}</dd></div>)}</dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}

/// After moving to another page the reader's focus and scroll begin at its top.
export function useFocusOnMove(path: string) {
  useEffect(() => { document.getElementById("page")?.focus({ preventScroll: true }); }, [path]);
}
