// The small things every page is made of.
import { useEffect, useId, useRef, useState, useSyncExternalStore, type ReactNode } from "react";
import { ApiError } from "../api/client";
import { usePlace, Link, set_search } from "../app/router";
import { ago, exact } from "./format";
import css from "./basics.module.css";

/// A state in a word, with a shape that says the same without colour.
const kGood = new Set(["finished", "ready", "live", "closed", "labelled", "sent", "better", "same", "succeeded", "active", "READY", "steady", "ok", "armed"]);
const kBusy = new Set(["running", "starting", "updating", "stopping", "scheduled", "connecting", "draining"]);
const kBad = new Set(["failed", "error", "errors", "worse", "drift", "drifted", "lost", "FAILED_REGISTRATION", "refused", "dead", "broken"]);
const kWarn = new Set(["degraded", "open", "unclear", "paused", "killed", "latency", "low_confidence", "flagged", "PENDING_REGISTRATION", "timed_out"]);
const kWords: Record<string, string> = { low_confidence: "low confidence", held_out: "held out", too_few: "too few yet", READY: "ready", PENDING_REGISTRATION: "pending", FAILED_REGISTRATION: "failed", timed_out: "timed out" };

export function State({ of, children }: { of: string; children?: ReactNode }) {
  const kind = kGood.has(of) ? "good" : kBusy.has(of) ? "busy" : kBad.has(of) ? "bad" : kWarn.has(of) ? "warn" : "none";
  const shape = { good: "●", busy: "◐", bad: "▲", warn: "◆", none: "○" }[kind];
  return (
    <span className={`${css.state} ${css[kind] ?? ""}`}>
      <span aria-hidden="true">{shape}</span> {children ?? kWords[of] ?? of}
    </span>
  );
}

export function Ago({ at }: { at: string | null | undefined }) {
  const now = useSyncExternalStore(watch_clock, clock);
  if (!at) return <span className="quiet">–</span>;
  return <time dateTime={at} title={exact(at)} className="num">{ago(at, now)}</time>;
}
// One clock for all relative times; it ticks every ten seconds.
let tick = Date.now();
const clock = () => tick;
const clock_watchers = new Set<() => void>();
setInterval(() => { tick = Date.now(); for (const watcher of clock_watchers) watcher(); }, 10_000);
function watch_clock(watcher: () => void) { clock_watchers.add(watcher); return () => clock_watchers.delete(watcher); }

/// Nothing for 200 ms, then bars of the shape of what comes.
export function Skeleton({ rows = 6, height }: { rows?: number; height?: number }) {
  const late = useLate(200);
  if (!late) return <div style={{ height: height ?? rows * 30 }} />;
  return (
    <div className={css.skeleton} role="status" aria-label="Loading" style={height ? { height } : undefined}>
      {Array.from({ length: rows }, (_, i) => <div key={i} style={{ width: `${90 - ((i * 37) % 45)}%` }} />)}
    </div>
  );
}
function useLate(ms: number) {
  const [late, set_late] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => set_late(true), ms);
    return () => clearTimeout(timer);
  }, [ms]);
  return late;
}

/// One sentence and the command that fills the page.
export function Empty({ children, command }: { children: ReactNode; command?: string }) {
  return (
    <div className={css.empty}>
      <p>{children}</p>
      {command && <Command text={command} />}
    </div>
  );
}

export function Command({ text }: { text: string }) {
  return (
    <div className={css.command}>
      <pre tabIndex={0}>{text}</pre>
      <Copy text={text} />
    </div>
  );
}

export function Copy({ text, label = "Copy" }: { text: string; label?: string }) {
  const [done, set_done] = useState(false);
  return (
    <button
      type="button" className="small"
      onClick={() => {
        void copy(text).then(() => { set_done(true); setTimeout(() => set_done(false), 1500); });
      }}
    >
      {done ? "Copied" : label}
    </button>
  );
}

async function copy(text: string) {
  // The clipboard exists on loopback and https only.
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

/// The server's sentence, what to do, and the details to send to someone.
export function Problem({ error, again, what }: { error: Error; again?: () => void; what?: string }) {
  const api = error instanceof ApiError ? error : null;
  const details = JSON.stringify(
    { message: error.message, request: api?.request, status: api?.status, code: api?.code, details: api?.details, page: location.href, at: new Date().toISOString() }, null, 2);
  return (
    <div className={css.problem} role="alert">
      <p>{what && <strong>{what}: </strong>}{error.message}</p>
      <div className="row">
        {api?.code === "unauthenticated" && <Link to={`/login?next=${encodeURIComponent(location.pathname + location.search)}`}>Sign in</Link>}
        {again && <button type="button" className="small" onClick={again}>Try again</button>}
        <Copy text={details} label="Copy details" />
        {api && <span className="quiet num">{api.request.slice(0, 120)}{api.status ? ` · ${api.status} ${api.code}` : ""}</span>}
      </div>
    </div>
  );
}

/// What a query gives: its data, its error, or a skeleton.
export function Loaded<T>({ of, children, skeleton, what, page = false }: {
  of: { data: T | undefined; error: Error | null; refetch: () => unknown };
  children: (data: T) => ReactNode; skeleton?: ReactNode; what?: string; page?: boolean;
}) {
  if (of.data !== undefined) return <>{of.error && <Problem error={of.error} again={() => void of.refetch()} what="These are the last known values" />}{children(of.data)}</>;
  // A page that could not be read still has a heading, for those who move by headings.
  if (of.error) return <>{page && <h1 className="hidden">Not read</h1>}<Problem error={of.error} again={() => void of.refetch()} {...(what ? { what } : {})} /></>;
  return skeleton ?? <Skeleton />;
}

/// Facts as pairs. Values that are absent are left out.
export function Facts({ of, columns = false }: { of: [string, ReactNode][]; columns?: boolean }) {
  return (
    <dl className={`${css.facts} ${columns ? css.wide : ""}`}>
      {of.filter(([, value]) => value !== null && value !== undefined && value !== false).map(([name, value]) => (
        <div key={name}><dt>{name}</dt><dd>{value}</dd></div>
      ))}
    </dl>
  );
}

/// One number that matters, with its name and unit.
export function Figure({ name, value, note, to }: { name: string; value: ReactNode; note?: ReactNode; to?: string }) {
  return (
    <div className={css.figure}>
      <div className={css.figure_name}>{name}</div>
      <div className={css.figure_value}>{to ? <Link to={to}>{value}</Link> : value}</div>
      {note && <div className={css.figure_note}>{note}</div>}
    </div>
  );
}
export const Figures = ({ children }: { children: ReactNode }) => <div className={css.figures}>{children}</div>;

/// Tabs whose choice is in the URL. Only the chosen one is made.
export interface Tab { id: string; name: string; note?: ReactNode; content: () => ReactNode }
export function Tabs({ tabs, param = "tab", label }: { tabs: Tab[]; param?: string; label: string }) {
  const { search } = usePlace();
  const chosen = tabs.find(({ id }) => id === search.get(param)) ?? tabs[0];
  const base = useId();
  const list = useRef<HTMLDivElement>(null);
  if (!chosen) return null;
  const choose = (id: string) => set_search({ [param]: id === tabs[0]?.id ? null : id });
  return (
    <div className={css.tabs}>
      <div
        role="tablist" aria-label={label} ref={list}
        onKeyDown={(event) => {
          const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
          if (!step) return;
          const next = tabs[(tabs.indexOf(chosen) + step + tabs.length) % tabs.length]!;
          choose(next.id);
          list.current?.querySelector<HTMLElement>(`[data-tab="${next.id}"]`)?.focus();
        }}
      >
        {tabs.map(({ id, name, note }) => (
          <button
            key={id} type="button" role="tab" data-tab={id} id={`${base}-${id}`} aria-selected={id === chosen.id}
            aria-controls={id === chosen.id ? `${base}-panel` : undefined} tabIndex={id === chosen.id ? 0 : -1} onClick={() => choose(id)}
          >
            {name}{note !== undefined && note !== null && <span className={css.tab_note}>{note}</span>}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`${base}-panel`} aria-labelledby={`${base}-${chosen.id}`} className={css.panel}>{chosen.content()}</div>
    </div>
  );
}

/// A panel under a button; closes by Escape and by a click elsewhere.
export function Popover({ button, children, align = "left", name, className }: {
  button: ReactNode; children: (close: () => void) => ReactNode; align?: "left" | "right"; name: string; className?: string;
}) {
  const [open, set_open] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) return;
    const outside = (event: Event) => { if (!root.current?.contains(event.target as Node)) set_open(false); };
    window.addEventListener("pointerdown", outside, true);
    return () => window.removeEventListener("pointerdown", outside, true);
  }, [open]);
  return (
    <div
      className={css.popover} ref={root}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !open) return;
        event.preventDefault();
        event.stopPropagation();
        set_open(false);
        root.current?.querySelector("button")?.focus();
      }}
    >
      <button type="button" className={className} aria-expanded={open} aria-haspopup="dialog" onClick={() => set_open(!open)}>{button}</button>
      {open && <div className={`${css.popped} ${align === "right" ? css.right : ""}`} role="dialog" aria-label={name}>{children(() => set_open(false))}</div>}
    </div>
  );
}

/// A question in the middle of the window.
export function Dialog({ title, onClose, children, wide = false }: { title: string; onClose: () => void; children: ReactNode; wide?: boolean }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    dialog.current?.showModal();
    dialog.current?.querySelector<HTMLElement>("form input, form select, form textarea")?.focus();
  }, []);
  return (
    <dialog
      ref={dialog} className={`${css.dialog} ${wide ? css.dialog_wide : ""}`} aria-labelledby={id}
      onClose={onClose} onClick={(event) => { if (event.target === dialog.current) dialog.current?.close(); }}
    >
      <div className={css.dialog_body}>
        <header><h2 id={id}>{title}</h2><button type="button" className="plain small" onClick={() => dialog.current?.close()}>Close</button></header>
        {children}
      </div>
    </dialog>
  );
}

/// A field of a form: its name, its input, and a sentence under it.
export function Field({ name, hint, children, error }: { name: string; hint?: ReactNode; children: ReactNode; error?: string | undefined }) {
  return (
    <label className={css.field}>
      <span>{name}</span>
      {children}
      {error ? <em className={css.field_error}>{error}</em> : hint && <em>{hint}</em>}
    </label>
  );
}

// --- Notices: what was done, with its undo -----------------------------------------------------------------------------
interface Notice { id: number; text: ReactNode; bad: boolean; undo?: (() => void) | undefined }
let notices: Notice[] = [];
let next_notice = 0;
const notice_watchers = new Set<() => void>();
function set_notices(next: Notice[]) { notices = next; for (const watcher of notice_watchers) watcher(); }
const drop = (id: number) => set_notices(notices.filter((notice) => notice.id !== id));

export function notify(text: ReactNode, { undo, bad = false }: { undo?: () => void; bad?: boolean } = {}) {
  const id = next_notice++;
  set_notices([...notices.slice(-3), { id, text, bad, undo }]);
  setTimeout(() => drop(id), bad ? 15_000 : 7_000);
}
export const notify_error = (error: Error) => notify(error.message, { bad: true });

export function Notices() {
  const all = useSyncExternalStore((watcher) => { notice_watchers.add(watcher); return () => notice_watchers.delete(watcher); }, () => notices);
  return (
    <div className={css.notices} role="status" aria-live="polite">
      {all.map(({ id, text, bad, undo }) => (
        <div key={id} className={`${css.notice} ${bad ? css.notice_bad : ""}`}>
          <span>{text}</span>
          {undo && <button type="button" className="small" onClick={() => { undo(); drop(id); }}>Undo</button>}
          <button type="button" className="plain small" aria-label="Dismiss" onClick={() => drop(id)}>✕</button>
        </div>
      ))}
    </div>
  );
}

/// A name that is a thing of its own: an alias, a branch, a tag.
export const Tag = ({ children, title }: { children: ReactNode; title?: string }) => <span className={css.tag} title={title}>{children}</span>;
export const Swatch = ({ color }: { color: string }) => <span className={css.swatch} style={{ background: color }} aria-hidden="true" />;
