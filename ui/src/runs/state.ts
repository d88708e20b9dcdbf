import type { Run } from "../api/types";

/// Waits, runs or ends: its log and numbers may still change.
export const is_running = (run: Pick<Run, "state">) => ["queued", "scheduled", "running", "stopping"].includes(run.state);
