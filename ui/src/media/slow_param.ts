// A value of the URL that changes while one drags: seen at once, written when it rests. Browsers refuse to write hundreds a second.
import { useCallback, useEffect, useRef, useState } from "react";
import { set_search, usePlace } from "../app/router";

const kRestMs = 250;

/// What is not written yet counts for as long as the URL has what it had when it was set.
interface Unwritten { value: string; over: string }

export function useSlowParam(name: string): [string, (value: string) => void] {
  const { search } = usePlace();
  const written = search.get(name) ?? "";
  const [live, set_live] = useState<Unwritten | null>(null);
  const timer = useRef(0);
  useEffect(() => () => clearTimeout(timer.current), []);
  const set = useCallback((value: string) => {
    // Of the window and not of the last render, which may be behind it.
    set_live({ value, over: new URLSearchParams(location.search).get(name) ?? "" });
    clearTimeout(timer.current);
    timer.current = window.setTimeout(() => set_search({ [name]: value || null }), kRestMs);
  }, [name]);
  return [live && live.over === written ? live.value : written, set];
}
