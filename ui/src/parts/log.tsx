// A log that is being written: begins at its last part, follows the end, finds in all of it, in the colours of the terminal.
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { project, url } from "../api/client";
import { prefixed } from "../app/prefix";
import { lines_of, spans_of } from "./ansi";
import { Problem } from "./basics";
import { bytes, count } from "./format";
import { hit_near, kHitsMax, useLogSearch, type Found } from "./log_search";
import { useLog } from "./use_log";
import css from "./log.module.css";

const kLine = 18;

export function Log({ path, run, running, height = "max(280px, calc(100vh - 400px))" }: { path: string; run: string; running: boolean; height?: string }) {
  const { piece, error, earlier, reach, number_from, again } = useLog(path, run, running);
  const [follow, set_follow] = useState(true);
  const [find, set_find] = useState("");
  const [match_case, set_match_case] = useState(false);
  const [wrap, set_wrap] = useState(false);
  const [hit, set_hit] = useState(-1);
  const [far, set_far] = useState(false);
  const scroller = useRef<HTMLDivElement>(null);
  const box = useRef<HTMLInputElement>(null);
  const lines = useMemo(() => { const all = lines_of(piece.text); if (all.at(-1) === "") all.pop(); return all; }, [piece.text]);
  const found = useLogSearch(path, { pattern: find, match_case }, piece.to, piece.from, number_from);
  const virtual = useVirtualizer({ count: lines.length, getScrollElement: () => scroller.current, estimateSize: () => kLine, overscan: 30 });
  useEffect(() => { if (follow && lines.length > 0) virtual.scrollToIndex(lines.length - 1, { align: "end" }); }, [follow, lines.length, virtual]);

  const here = hit >= 0 ? found.hits[hit] : undefined;
  const index = here && piece.line !== null ? here.line - piece.line : -1;
  // Lines that come in front move the one that was gone to; those that come behind do not take the reader back to it.
  useEffect(() => { if (index >= 0 && index < lines.length) virtual.scrollToIndex(index, { align: "center" }); }, [index, hit]);

  const go = async (back: boolean) => {
    if (found.hits.length === 0) return;
    const top = (piece.line ?? 1) + (virtual.range?.startIndex ?? 0);
    const next = hit >= 0 ? (hit + (back ? -1 : 1) + found.hits.length) % found.hits.length : hit_near(found.hits, top, back);
    set_follow(false);
    set_far(!await reach(found.hits[next]!.offset));
    set_hit(next);
  };
  const look_for = (text: string) => { set_find(text); set_hit(-1); set_far(false); };
  const on_key = (event: KeyboardEvent) => {
    if (event.key === "Enter") void go(event.shiftKey);
    if (event.key === "Escape" && find) { event.stopPropagation(); look_for(""); }
  };

  return (
    <div className={css.log}>
      <div className={css.tools}>
        <input ref={box} type="search" placeholder="Find in the whole log" aria-label="Find in the log" value={find} onChange={(event) => look_for(event.target.value)} onKeyDown={on_key} />
        <label title="Tell upper from lower case"><input type="checkbox" checked={match_case} onChange={() => { set_match_case(!match_case); set_hit(-1); }} /> Aa</label>
        {find && <span className="num quiet" role="status">{found_text(found, hit)}</span>}
        {find && <><button type="button" className="small" onClick={() => void go(true)} aria-label="Previous" title="Previous (Shift Enter)">↑</button><button type="button" className="small" onClick={() => void go(false)} aria-label="Next" title="Next (Enter)">↓</button></>}
        <span className="grow" />
        <span className="quiet num">{count(lines.length)} lines, {bytes(piece.to - piece.from)}</span>
        <label><input type="checkbox" checked={wrap} onChange={() => set_wrap(!wrap)} /> Wrap</label>
        <label><input type="checkbox" checked={follow} onChange={() => set_follow(!follow)} /> Follow</label>
        <a className="button small" href={prefixed(url(`${path}/file`, { project: project() }))} download={`${run}.log`}>Save all</a>
      </div>
      {piece.from > 0 && <div className={css.earlier}>The first {bytes(piece.from)} are not loaded. <button type="button" className="small" onClick={earlier}>Load earlier lines</button></div>}
      {far && here && <div className={css.earlier}>Line {count(here.line)} is too far back to be shown here: <code>{here.text}</code></div>}
      {error && <Problem error={error} again={again} />}
      {found.error && <Problem error={found.error} again={() => { look_for(""); setTimeout(() => look_for(find)); }} />}
      <div
        ref={scroller} className={css.scroller} style={{ height: `min(${Math.max(lines.length * kLine + 24, 120)}px, ${height})` }} tabIndex={0} role="log" aria-label="Log"
        onKeyDown={(event) => { if (event.key === "/") { event.preventDefault(); event.stopPropagation(); box.current?.focus(); } }}
        onWheel={(event) => { if (event.deltaY < 0) set_follow(false); }}
        onScroll={({ currentTarget: box }) => { if (box.scrollHeight - box.scrollTop - box.clientHeight < 4) set_follow(true); }}
      >
        {lines.length === 0 && !error && <p className="quiet">{running ? "Nothing written yet; lines appear here as they come." : "Nothing was written."}</p>}
        <div style={{ height: virtual.getTotalSize(), position: "relative" }}>
          {virtual.getVirtualItems().map((item) => (
            <div
              key={item.index} ref={wrap ? virtual.measureElement : null} data-index={item.index} aria-current={item.index === index ? "true" : undefined}
              className={`${css.line} ${wrap ? css.wrap : ""} ${item.index === index ? css.hit : ""}`} style={{ transform: `translateY(${item.start}px)` }}
            >
              <span className={css.number} aria-hidden="true">{piece.line === null ? "" : piece.line + item.index}</span>
              <span>{spans_of(lines[item.index]!).map((span, i) => (
                <span key={i} className={`${span.color === null ? "" : css[`c${span.color}`]} ${span.bold ? css.bold : ""} ${span.dim ? css.dim : ""}`}>{marked(span.text, find, match_case)}</span>
              ))}</span>
            </div>
          ))}
        </div>
      </div>
    </div>
  );
}

function found_text({ hits, searching }: Found, hit: number): string {
  const all = `${count(hits.length)}${hits.length >= kHitsMax ? "+" : ""}${searching ? "…" : ""}`;
  if (hits.length === 0) return searching ? "looking…" : "not found";
  return hit >= 0 ? `${count(hit + 1)} of ${all}` : `${all} ${hits.length === 1 ? "line" : "lines"}`;
}

function marked(text: string, find: string, match_case: boolean) {
  if (!find) return text;
  const [where, what] = match_case ? [text, find] : [text.toLowerCase(), find.toLowerCase()];
  const parts = [];
  let from = 0;
  for (let at = where.indexOf(what); at >= 0; at = where.indexOf(what, from)) {
    parts.push(text.slice(from, at), <mark key={at}>{text.slice(at, at + find.length)}</mark>);
    from = at + find.length;
  }
  return parts.length === 0 ? text : [...parts, text.slice(from)];
}
