// The text of a log as the page has it: its last part first, then what comes, and earlier parts when they are asked for.
import { useCallback, useEffect, useRef, useState } from "react";
import { get, url, type ApiError } from "../api/client";
import { on_event } from "../api/events";
import type { LogPiece } from "../api/types";

const kFirstBytes = 512 * 1024;
const kPieceBytes = 1024 * 1024;
/// More than this is not kept in the page; older lines go first.
const kBytesMax = 32 * 1024 * 1024;
/// So much in front of a place that is looked for.
const kBeforeBytes = 16 * 1024;

/// `line` is the number of the first line in `text`, from 1, where it is known.
export interface Piece { from: number; to: number; text: string; end: boolean; line: number | null }

const kNothing: Piece = { from: 0, to: 0, text: "", end: false, line: null };

export function lines_in(text: string): number {
  let count = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) count++;
  return count;
}

/// The piece with `answer` behind it, without what is too old to be kept.
export function with_later(have: Piece | null, answer: LogPiece): Piece {
  if (!have) return { from: answer.offset, to: answer.next_offset, text: answer.text, end: answer.end, line: answer.offset === 0 ? 1 : null };
  const next: Piece = { ...have, to: answer.next_offset, text: have.text + answer.text, end: answer.end };
  if (next.text.length <= kBytesMax) return next;
  const cut = next.text.indexOf("\n", next.text.length - kBytesMax / 2) + 1;
  const gone = next.text.slice(0, cut);
  return { ...next, from: next.from + new TextEncoder().encode(gone).length, text: next.text.slice(cut), line: next.line === null ? null : next.line + lines_in(gone) };
}

export function with_earlier(have: Piece, offset: number, text: string): Piece {
  const line = offset === 0 ? 1 : have.line === null ? null : have.line - lines_in(text);
  return { ...have, from: offset, text: text + have.text, line };
}

/// New text is asked for when the server says there is some, one request at a time.
export function useLog(path: string, run: string, running: boolean) {
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
        if (now.current !== have) { wanted.current = true; continue; }  // earlier lines came meanwhile
        now.current = with_later(have, answer);
        set_piece(now.current);
        set_error(null);
        if (have && answer.text !== "") wanted.current = true;
      } while (wanted.current);
    } catch (problem) {
      set_error(problem as ApiError);
    } finally {
      busy.current = false;
    }
  }, [path]);

  /// Reads back until the byte is here. False when that is more than the page keeps.
  const reach = useCallback(async (offset: number): Promise<boolean> => {
    try {
      while (now.current && now.current.from > offset) {
        const have = now.current;
        if (have.to - offset > kBytesMax) return false;
        const from = Math.max(0, have.from - kPieceBytes, offset - kBeforeBytes);
        const answer = await get<LogPiece>(url(path, { offset: from, bytes_max: have.from - from }));
        if (now.current !== have) continue;
        now.current = with_earlier(have, answer.offset, answer.text);
        set_piece(now.current);
      }
    } catch (problem) {
      set_error(problem as ApiError);
      return false;
    }
    return now.current !== null;
  }, [path]);

  const earlier = useCallback(() => { if (now.current) void reach(Math.max(0, now.current.from - kPieceBytes + kBeforeBytes)); }, [reach]);

  /// Somebody knows which line has the byte where the text begins.
  const number_from = useCallback((from: number, line: number) => {
    if (!now.current || now.current.from !== from || now.current.line === line) return;
    now.current = { ...now.current, line };
    set_piece(now.current);
  }, []);

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

  return { piece, error, earlier, reach, number_from, again: () => void read() };
}
