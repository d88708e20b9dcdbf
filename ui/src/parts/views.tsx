// Saved views: the page's whole query under a name, kept in this browser. The URL itself is what one sends to others.
import { useState } from "react";
import { navigate, usePlace } from "../app/router";
import { Popover } from "./basics";
import css from "./views.module.css";

interface View { name: string; query: string }
const key = (name: string) => `slipway.views.${name}`;
function read(name: string): View[] {
  try { return JSON.parse(localStorage.getItem(key(name)) ?? "[]") as View[]; } catch { return []; }
}

export function Views({ name }: { name: string }) {
  const { path, search } = usePlace();
  const [views, set_views] = useState(() => read(name));
  const [text, set_text] = useState("");
  const store = (next: View[]) => { set_views(next); localStorage.setItem(key(name), JSON.stringify(next)); };
  const query = (() => { const kept = new URLSearchParams(search); kept.delete("open"); kept.delete("selected"); return kept.toString(); })();
  const now = views.find((view) => view.query === query);
  return (
    <Popover button={now ? `View: ${now.name}` : "Views"} name="Saved views" align="right">
      {(close) => (
        <div className={css.views}>
          {views.length === 0 && <p className="quiet">A view keeps filter, order and columns under a name.</p>}
          <ul>
            {views.map((view) => (
              <li key={view.name}>
                <button type="button" className="plain" aria-pressed={view === now} onClick={() => { navigate(view.query ? `${path}?${view.query}` : path); close(); }}>{view.name}</button>
                <button type="button" className="plain small" aria-label={`Forget ${view.name}`} onClick={() => store(views.filter((one) => one !== view))}>Forget</button>
              </li>
            ))}
          </ul>
          <form onSubmit={(event) => { event.preventDefault(); if (!text.trim()) return; store([...views.filter((view) => view.name !== text.trim()), { name: text.trim(), query }]); set_text(""); close(); }}>
            <input placeholder="Name of this view" aria-label="Name of this view" value={text} onChange={(event) => set_text(event.target.value)} />
            <button type="submit" disabled={!text.trim()}>Save</button>
          </form>
        </div>
      )}
    </Popover>
  );
}
