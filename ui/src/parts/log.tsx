// A log that is being written: begins at its last part, follows the end, finds, in the colours of the terminal.
import { useVirtualizer } from "@tanstack/react-virtual";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { ApiError, get, url } from "../api/client";
import { on_event } from "../api/events";
import type { LogPiece } from "../api/types";
import { lines_of, plain, spans_of } from "./ansi";
import { Problem } from "./basics";
import { bytes, count } from "./format";
import { download } from "./save";
import css from "./log.module.css";

const kLine = 18;
const kFirstBytes = 512 * 1024;
const kPieceBytes = 1024 * 1024;
/// More than this is not kept in the page; older lines go first.
const kBytesMax = 32 * 1024 * 1024;

interface Piece { from: number; to: number; text: string; end: boolean }

export function Log({ path, run, running, height = "max(280px, calc(100vh - 400px))" }: { path: string; run: string; running: boolean; height?: string }) {
  const { piece, error, earlier, again } = useLog(path, run, running);
  const [follow, set_follow] = useState(true);
  const [find, set_find] = useState("");
  const [wrap, set_wrap] = useState(false);
  const [hit, set_hit] = useState(0);
  const scroller = useRef<HTMLDivElement>(null);
  const lines = useMemo(() => { const all = lines_of(piece.text); if (all.at(-1) === "") all.pop(); return all; }, [piece.text]);
  const hits = useMemo(() => {
    if (!find) return [];
    const wanted = find.toLowerCase();
    return lines.flatMap((line, i) => (line.toLowerCase().includes(wanted) && plain(line).toLowerCase().includes(wanted) ? [i] : []));
  }, [lines, find]);
  const virtual = useVirtualizer({ count: lines.length, getScrollElement: () => scroller.current, estimateSize: () => kLine, overscan: 30 });
  useEffect(() => { if (follow && lines.length > 0) virtual.scrollToIndex(lines.length - 1, { align: "end" }); }, [follow, lines.length, virtual]);
  const go = (to: number) => {
    if (hits.length === 0) return;
    const next = (to + hits.length) % hits.length;
    set_hit(next);
    set_follow(false);
    virtual.scrollToIndex(hits[next]!, { align: "center" });
  };

  return (
    <div className={css.log}>
      <div className={css.tools}>
        <input
          type="search" placeholder="Find in the log" aria-label="Find in the log" value={find}
          onChange={(event) => { set_find(event.target.value); set_hit(0); }}
          onKeyDown={(event) => { if (event.key === "Enter") go(hit + (event.shiftKey ? -1 : 1)); }}
        />
        {find && <span className="num quiet" role="status">{hits.length ? `${Math.min(hit + 1, hits.length)} of ${count(hits.length)}` : "not found"}</span>}
        {find && <><button type="button" className="small" onClick={() => go(hit - 1)} aria-label="Previous">↑</button><button type="button" className="small" onClick={() => go(hit + 1)} aria-label="Next">↓</button></>}
        <span className="grow" />
        <span className="quiet num">{count(lines.length)} lines, {bytes(piece.to - piece.from)}</span>
        <label><input type="checkbox" checked={wrap} onChange={() => set_wrap(!wrap)} /> Wrap</label>
        <label><input type="checkbox" checked={follow} onChange={() => set_follow(!follow)} /> Follow</label>
        <button type="button" className="small" onClick={() => download(`${run}.log`, new Blob([piece.text], { type: "text/plain" }))}>Save</button>
      </div>
      {piece.from > 0 && <div className={css.earlier}>The first {bytes(piece.from)} are not loaded. <button type="button" className="small" onClick={earlier}>Load earlier lines</button></div>}
      {error && <Problem error={error} again={again} />}
      <div
        ref={scroller} className={css.scroller} style={{ height: `min(${Math.max(lines.length * kLine + 24, 120)}px, ${height})` }} tabIndex={0} role="log" aria-label="Log"
        onWheel={(event) => { if (event.deltaY < 0) set_follow(false); }}
        onScroll={({ currentTarget: box }) => { if (box.scrollHeight - box.scrollTop - box.clientHeight < 4) set_follow(true); }}
      >
        {lines.length === 0 && !error && <p className="quiet">{running ? "Nothing written yet; lines appear here as they come." : "Nothing was written."}</p>}
        <div style={{ height: virtual.getTotalSize(), position: "relative" }}>
          {virtual.getVirtualItems().map((item) => (
            <div
              key={item.index} ref={wrap ? virtual.measureElement : null} data-index={item.index}
              className={`${css.line} ${wrap ? css.wrap : ""} ${hits[hit] === item.index ? css.hit : ""}`} style={{ transform: `translateY(${item.start}px)` }}
            >
              <span className={css.number} aria-hidden="true">{item.index + 1}</span>
              <span>{spans_of(lines[item.index]!).map((span, i) => (
                <span key={i} className={`${span.color === null ? "" : css[`c${span.color}`]} ${span.bold ? css.bold : ""} ${span.dim ? css.dim : ""}`}>{marked(span.text, find)}</span>
              ))}</span>
            </div>
          ))}
        </div>
      </div>
    </div>
  );
}

function marked(text: string, find: string) {
  if (!find) return text;
  const at = text.toLowerCase().indexOf(find.toLowerCase());
  if (at < 0) return text;
  return <>{text.slice(0, at)}<mark>{text.slice(at, at + find.length)}</mark>{text.slice(at + find.length)}</>;
}

const kNothing: Piece = { from: 0, to: 0, text: "", end: false };

/// The text so far. New text is asked for when the server says there is some, one request at a time.
function useLog(path: string, run: string, running: boolean) {
  const [piece, set_piece] = useState<Piece>(kNothing);
  const [error, set_error] = useState<ApiError | null>(null);
  const busy = useRef(false);
  const wanted = useRef(false);
  const now = useRef<Piece | null>(null);

  const read = useCallback(async () => {
    if (busy.current) { wanted.current = true; return; }
    busy.current = true;
    try {
      do {
        wanted.current = false;
        const have = now.current;
        const answer = await get<LogPiece>(url(path, have ? { offset: have.to, bytes_max: kPieceBytes } : { offset: -kFirstBytes, bytes_max: kFirstBytes }));
        let next: Piece = have
          ? { ...have, to: answer.next_offset, text: have.text + answer.text, end: answer.end }
          : { from: answer.offset, to: answer.next_offset, text: answer.text, end: answer.end };
        if (next.text.length > kBytesMax) {
          const cut = next.text.indexOf("\n", next.text.length - kBytesMax / 2) + 1;
          next = { ...next, from: next.from + new TextEncoder().encode(next.text.slice(0, cut)).length, text: next.text.slice(cut) };
        }
        now.current = next;
        set_piece(next);
        set_error(null);
        if (have && answer.text !== "") wanted.current = true;
      } while (wanted.current);
    } catch (problem) {
      set_error(problem as ApiError);
    } finally {
      busy.current = false;
    }
  }, [path]);

  const earlier = useCallback(async () => {
    const have = now.current;
    if (!have || have.from === 0) return;
    const from = Math.max(0, have.from - kPieceBytes);
    const answer = await get<LogPiece>(url(path, { offset: from, bytes_max: have.from - from }));
    now.current = { ...have, from: answer.offset, text: answer.text + have.text };
    set_piece(now.current);
  }, [path]);

  useEffect(() => {
    now.current = null;
    set_piece(kNothing);
    void read();
    const stop = on_event((event) => {
      if ((event.type === "log_changed" || event.type === "run_changed") && (event.run_id ?? event.id) === run) void read();
    });
    // Should the event stream be away, the log goes on at a slower pace.
    const timer = running ? setInterval(() => void read(), 5000) : undefined;
    return () => { stop(); clearInterval(timer); };
  }, [read, run, running]);

  return { piece, error, earlier: () => void earlier(), again: () => void read() };
}
