// Where the crosshair of a plot is. It moves with every frame while the hand does, so who shows it listens here and changes one
// text, instead of the whole plot being drawn by React again.
import { useRef } from "react";

export interface Pointed { x: number; left: number; top: number; width: number; near: { label: string; color: string; x: number; y: number } | null }

export interface Pointer {
  at: () => Pointed | null;
  move: (to: Pointed | null) => void;
  /// Calls at each move; answers what ends that.
  watch: (watcher: () => void) => () => void;
}

export function make_pointer(): Pointer {
  let at: Pointed | null = null;
  const watchers = new Set<() => void>();
  return {
    at: () => at,
    move: (to) => { at = to; for (const watcher of watchers) watcher(); },
    watch: (watcher) => { watchers.add(watcher); return () => void watchers.delete(watcher); },
  };
}

/// One for the life of a plot.
export function usePointer(): Pointer {
  const pointer = useRef<Pointer | null>(null);
  return (pointer.current ??= make_pointer());
}
