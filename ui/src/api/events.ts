// Live updates. One browser holds one event stream however many tabs are open: the tab that gets the lock listens and
// tells the others. Events only say what is old; what is on screen is asked for again, at most once a second (refresher.ts).
import type { QueryClient, QueryKey } from "@tanstack/react-query";
import { prefixed } from "../app/prefix";
import { project } from "./client";
import { make_refresher } from "./refresher";

export interface Event { type: string; id?: string; run_id?: string; name?: string }
export type StreamState = "connecting" | "live" | "paused";

const kRefreshEveryMs = 1000;

/// Which keys an event makes old.
export function stale_keys(event: Event): QueryKey[] {
  const id = event.id ?? event.name ?? event.run_id ?? "";
  switch (event.type) {
    case "run_changed": return [["runs", "list"], ["runs", id], ["overview"]];
    case "metrics_changed": return [["runs", event.run_id ?? id, "metrics"], ["runs", event.run_id ?? id, "record"], ["histories", event.run_id ?? id]];
    case "log_changed": return [["runs", event.run_id ?? id, "log"]];
    // Media of several runs name them all in their key, of which one is enough.
    case "artifacts_changed": return [["runs", id, "artifacts"], ["runs", id, "table"], ["media", "run", id], ["media", "runs", { [id]: true }]];
    // These are few and rare, and their pages are named by name while events may carry an id: all of the noun is old.
    case "dataset_changed": return [["datasets"], ["overview"]];
    case "model_changed": return [["models"], ["overview"]];
    case "deployment_changed": return [["deployments"], ["overview"]];
    case "evaluation_changed": return [["evaluations"], ["models"]];
    case "finding_changed": return [["findings"], ["overview"]];
    case "case_changed": return [["cases"], ["overview"]];
    case "pipeline_run_changed": return [["pipelines"]];
    case "report_changed": return [["reports"]];
    default: return [];
  }
}

let state: StreamState = "connecting";
const watchers = new Set<() => void>();
export const stream_state = () => state;
export function watch_stream(watcher: () => void) {
  watchers.add(watcher);
  return () => void watchers.delete(watcher);
}

const listeners = new Set<(event: Event) => void>();
/// Every event as it comes, for those who follow something themselves (the log).
export function on_event(listener: (event: Event) => void) {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

type Message = { event: Event } | { state: StreamState } | { ask: true };

export function start_events(client: QueryClient) {
  const channel = new BroadcastChannel(`slipway-events-${project()}`);
  const refresh = make_refresher((queryKey) => client.invalidateQueries({ queryKey }), kRefreshEveryMs);
  let leads = false;

  const take = (event: Event) => {
    for (const listener of listeners) listener(event);
    refresh(stale_keys(event));
  };
  const become = (next: StreamState) => {
    // What happened while nobody listened is unknown: everything on screen is asked for again.
    if (next === "live" && state === "paused") void client.invalidateQueries();
    state = next;
    for (const watcher of watchers) watcher();
  };
  const tell = (message: Message) => channel.postMessage(message);

  channel.onmessage = ({ data }: MessageEvent<Message>) => {
    if ("event" in data) take(data.event);
    else if ("state" in data) become(data.state);
    else if (leads) tell({ state });
  };

  const listen = () => {
    leads = true;
    const source = new EventSource(prefixed(`/api/v1/events?project=${encodeURIComponent(project())}`));
    const change = (next: StreamState) => { become(next); tell({ state: next }); };
    source.onopen = () => change("live");
    source.onerror = () => change("paused");
    const receive = (message: MessageEvent<string>) => {
      let event: Event;
      try { event = JSON.parse(message.data) as Event; } catch { return; }
      take(event);
      tell({ event });
    };
    source.onmessage = receive;
    for (const type of kTypes) source.addEventListener(type, receive as EventListener);
  };

  // Locks exist on loopback and https only; elsewhere each tab listens for itself.
  if (navigator.locks) {
    void navigator.locks.request(`slipway-events-${project()}`, () => { listen(); return new Promise(() => {}); });
    tell({ ask: true });
  } else {
    listen();
  }
}

const kTypes = [
  "run_changed", "metrics_changed", "log_changed", "dataset_changed", "model_changed", "deployment_changed",
  "evaluation_changed", "finding_changed", "case_changed", "pipeline_run_changed", "artifacts_changed", "report_changed",
];
