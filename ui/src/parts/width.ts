// The width of an element in pixels, followed as the window changes.
import { useEffect, useRef, useState, type RefObject } from "react";

/** `first` until the element stands; never less than `min`. */
export function use_width(first: number, min: number): [RefObject<HTMLDivElement | null>, number] {
  const host = useRef<HTMLDivElement>(null);
  const [width, set_width] = useState(first);
  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const observer = new ResizeObserver(() => set_width(Math.max(min, element.clientWidth)));
    observer.observe(element);
    return () => observer.disconnect();
  }, [min]);
  return [host, width];
}
