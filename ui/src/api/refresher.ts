// What events make old is asked for again: each key at most once in `every_ms`, never while its former answer is still on its way
// (a long one would be asked for again and again without ever being seen), and after a long answer only after a long rest.
import type { QueryKey } from "@tanstack/react-query";

/// So many times as long as an answer took, its key rests: what is costly to answer takes a fifth of a server's time at most.
const kRestTimes = 4;

/// `ask` asks for what a key stands for again, and is over when the answer is there; it never throws.
export function make_refresher(ask: (key: QueryKey) => Promise<unknown>, every_ms: number) {
  const old = new Map<string, QueryKey>();
  const resting = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  const flush = () => {
    timer = undefined;
    for (const [text, key] of [...old]) {
      if (resting.has(text)) continue;
      old.delete(text);
      resting.add(text);
      const began = performance.now();
      void ask(key).then(() => setTimeout(rested, (performance.now() - began) * kRestTimes, text));
    }
  };
  const later = () => { timer ??= setTimeout(flush, every_ms); };
  const rested = (text: string) => { resting.delete(text); if (old.has(text)) later(); };
  return (keys: QueryKey[]) => {
    for (const key of keys) old.set(JSON.stringify(key), key);
    if (keys.length > 0) later();
  };
}
