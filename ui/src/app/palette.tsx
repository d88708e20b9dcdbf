// Search for everything by name; pages and commands are found at once, things by the server.
import { useDeferredValue, useEffect, useId, useRef, useState } from "react";
import { url } from "../api/client";
import { useGet } from "../api/hooks";
import type { SearchResult } from "../api/types";
import { navigate } from "./router";
import { rail } from "./routes";
import { choose_theme } from "./theme";
import css from "./palette.module.css";
import { short_id } from "../parts/format";

interface Entry { kind: string; name: string; note?: string; act: () => void }

const local: Entry[] = [
  ...rail.map(({ name, to }) => ({ kind: "page", name, act: () => navigate(to) })),
  { kind: "command", name: "Add files to a dataset", act: () => navigate("/new/dataset") },
  { kind: "command", name: "New run", act: () => navigate("/new/run") },
  { kind: "command", name: "New report", act: () => navigate("/reports?new=1") },
  { kind: "command", name: "Theme: light", act: () => choose_theme("light") },
  { kind: "command", name: "Theme: dark", act: () => choose_theme("dark") },
  { kind: "command", name: "Theme: as the system", act: () => choose_theme("system") },
  { kind: "command", name: "Runs: those that run now", act: () => navigate("/runs?filter=state%20%3D%20'running'") },
  { kind: "command", name: "Runs: those that failed", act: () => navigate("/runs?filter=state%20%3D%20'failed'") },
  { kind: "command", name: "Cases: label those that are open", act: () => navigate("/cases?state=open") },
];

export function Palette({ onClose }: { onClose: () => void }) {
  const [text, set_text] = useState("");
  const [at, set_at] = useState(0);
  const wanted = useDeferredValue(text.trim());
  const dialog = useRef<HTMLDialogElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const id = useId();
  useEffect(() => { dialog.current?.showModal(); }, []);
  const { data, error } = useGet<{ results: SearchResult[] }>(["search", wanted], url("/api/v1/search", { q: wanted }), { enabled: wanted !== "", keep: true });

  const mine = local.filter(({ name }) => name.toLowerCase().includes(wanted.toLowerCase()));
  const found: Entry[] = wanted === "" ? [] : (data?.results ?? []).map((one) => ({ kind: one.kind, name: one.name, note: one.id === one.name ? "" : short_id(one.id), act: () => navigate(one.url) }));
  // An answer's id or a run's id, pasted whole, goes straight to its page.
  const direct: Entry[] = /^[0-9a-f]{32}$/.test(wanted) ? [{ kind: "run", name: wanted, act: () => navigate(`/runs/${wanted}`) }]
    : /^[0-9A-Za-z._-]{20,64}$/.test(wanted) ? [{ kind: "why", name: wanted, act: () => navigate(`/why/${wanted}`) }] : [];
  const entries = [...found, ...direct, ...mine].slice(0, 60);
  const current = Math.min(at, entries.length - 1);
  const go = (entry: Entry | undefined) => { if (!entry) return; dialog.current?.close(); entry.act(); };
  useEffect(() => { list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" }); }, [current]);

  return (
    <dialog ref={dialog} className={css.palette} aria-label="Search" onClose={onClose} onClick={(event) => { if (event.target === dialog.current) dialog.current?.close(); }}>
      <div>
        <input
          autoFocus placeholder="A run, dataset, model, deployment, report, page or command" aria-label="Search everything" role="combobox" aria-expanded="true"
          aria-controls={id} aria-activedescendant={entries.length ? `${id}-${current}` : undefined} value={text} spellCheck={false}
          onChange={(event) => { set_text(event.target.value); set_at(0); }}
          onKeyDown={(event) => {
            if (event.key === "ArrowDown" || (event.ctrlKey && event.key === "n")) { event.preventDefault(); set_at(Math.min(current + 1, entries.length - 1)); }
            else if (event.key === "ArrowUp" || (event.ctrlKey && event.key === "p")) { event.preventDefault(); set_at(Math.max(current - 1, 0)); }
            else if (event.key === "Enter") { event.preventDefault(); go(entries[current]); }
          }}
        />
        <ul id={id} role="listbox" aria-label="Results" ref={list}>
          {entries.map((entry, i) => (
            <li key={`${entry.kind} ${entry.name} ${i}`} id={`${id}-${i}`} role="option" aria-selected={i === current} onPointerMove={() => set_at(i)} onClick={() => go(entry)}>
              <span className={css.kind}>{entry.kind}</span><span className="clip grow">{entry.name}</span>{entry.note && <span className="num quiet">{entry.note}</span>}
            </li>
          ))}
        </ul>
        {entries.length === 0 && <p className={css.none}>{error ? error.message : `Nothing is named like “${wanted}”.`}</p>}
      </div>
    </dialog>
  );
}
