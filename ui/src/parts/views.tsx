// Saved views: the page's whole query under a name, kept by the server for everybody in the project. `?view=ID` alone is
// enough to come back to one; what is changed since stands behind it in the URL until it is saved.
import { useEffect, useState } from "react";
import { url } from "../api/client";
import { useGet, useSend } from "../api/hooks";
import type { SavedView } from "../api/types";
import { navigate, usePlace } from "../app/router";
import { notify, notify_error, Popover, Problem } from "./basics";
import css from "./views.module.css";

/// What belongs to the reader's moment, not to the view.
const kMomentary = ["view", "open", "selected", "note"];

export function query_of(search: URLSearchParams): string {
  const kept = new URLSearchParams(search);
  for (const name of kMomentary) kept.delete(name);
  return kept.toString();
}
const address = (path: string, view: SavedView) => `${path}?view=${view.id}${view.query && `&${view.query}`}`;

/// `name` is the page's.
export function Views({ name }: { name: string }) {
  const { path, search } = usePlace();
  const views = useGet<{ views: SavedView[] }>(["views", name], url("/api/v1/views", { page: name }), { stale_ms: 10_000 });
  const listed = views.data?.views ?? [];
  const query = query_of(search);
  const now = listed.find(({ id }) => id === search.get("view")) ?? listed.find((view) => view.query === query && query !== "");
  const only_named = search.size === 1 && search.has("view");
  // A link to a view names it alone; what it keeps is put into the URL.
  useEffect(() => { if (only_named && now?.query) navigate(address(path, now), { replace: true }); }, [only_named, now, path]);
  const changed = !!now && now.query !== query && !only_named;
  return (
    <Popover button={now ? <>View: {now.name}{changed && ", changed"}</> : "Views"} name="Saved views" align="right">
      {(close) => (
        <div className={css.views}>
          {views.error && <Problem error={views.error} again={() => void views.refetch()} />}
          {views.data && listed.length === 0 && <p className="quiet">A view keeps filter, order, columns and charts under a name, for everybody in the project.</p>}
          <ul>{listed.map((view) => <Entry key={view.id} view={view} current={view === now} go={() => { navigate(address(path, view)); close(); }} />)}</ul>
          <Keep page={name} query={query} views={listed} {...(changed ? { now } : {})} done={(view) => { navigate(address(path, view), { replace: true }); close(); }} />
        </div>
      )}
    </Popover>
  );
}

function Entry({ view, current, go }: { view: SavedView; current: boolean; go: () => void }) {
  const [name, set_name] = useState<string | null>(null);
  const rename = useSend<SavedView, string>(["views"], (next) => ["PATCH", `/api/v1/views/${view.id}`, { name: next }]);
  const remove = useSend<unknown>(["views"], () => ["DELETE", `/api/v1/views/${view.id}`]);
  const again = useSend<SavedView>(["views"], () => ["POST", "/api/v1/views", { page: view.page, name: view.name, query: view.query }]);
  if (name !== null) {
    return (
      <li>
        <form onSubmit={(event) => { event.preventDefault(); rename.mutate(name.trim(), { onSuccess: () => set_name(null), onError: notify_error }); }}>
          <input aria-label={`New name of ${view.name}`} value={name} autoFocus onChange={(event) => set_name(event.target.value)} />
          <button type="submit" disabled={!name.trim() || rename.isPending}>Rename</button>
        </form>
      </li>
    );
  }
  const forget = () => remove.mutate(undefined, { onSuccess: () => notify(`The view ${view.name} is gone.`, { undo: () => again.mutate(undefined, { onError: notify_error }) }), onError: notify_error });
  return (
    <li>
      <button type="button" className={`plain ${css.name}`} aria-pressed={current} title={`${view.name}, by ${view.member}`} onClick={go}><span className="clip">{view.name}</span></button>
      <button type="button" className="plain small" aria-label={`Rename ${view.name}`} onClick={() => set_name(view.name)}>Rename</button>
      <button type="button" className="plain small" aria-label={`Delete ${view.name}`} onClick={forget}>Delete</button>
    </li>
  );
}

/// Saves what the page shows: into the view that it came from, or under a name.
function Keep({ page, query, views, now, done }: { page: string; query: string; views: SavedView[]; now?: SavedView; done: (view: SavedView) => void }) {
  const [text, set_text] = useState("");
  const name = text.trim();
  const same = views.find((view) => view.name === name);
  const overwrite = useSend<SavedView, SavedView>(["views"], (view) => ["PATCH", `/api/v1/views/${view.id}`, { query }]);
  const create = useSend<SavedView>(["views"], () => ["POST", "/api/v1/views", { page, name, query }]);
  const then = { onSuccess: done, onError: notify_error };
  return (
    <>
      {now && <button type="button" onClick={() => overwrite.mutate(now, then)}><span className="clip">Save changes to {now.name}</span></button>}
      <form onSubmit={(event) => { event.preventDefault(); if (same) overwrite.mutate(same, then); else if (name) create.mutate(undefined, then); }}>
        <input placeholder="Name of this view" aria-label="Name of this view" value={text} maxLength={200} onChange={(event) => set_text(event.target.value)} />
        <button type="submit" disabled={!name || create.isPending || overwrite.isPending}>{same ? "Overwrite" : "Save"}</button>
      </form>
    </>
  );
}
