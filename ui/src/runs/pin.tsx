// A pinned run is never deleted by a rule of its project.
import { useSend } from "../api/hooks";
import type { Run } from "../api/types";
import { notify_error } from "../parts/basics";

const kPinnedTag = "slipway.pinned";

export function Pin({ run }: { run: Run }) {
  const pinned = run.tags[kPinnedTag] !== undefined && run.tags[kPinnedTag] !== "false";
  const set = useSend<Run>(["runs"], () => ["PATCH", `/api/v1/runs/${run.id}`, { tags: { [kPinnedTag]: pinned ? null : "true" } }]);
  if (run.deleted) return null;
  return (
    <button type="button" aria-pressed={pinned} disabled={set.isPending} title={pinned ? "Pinned: no rule deletes it" : "Pin it, so that no rule deletes it"} onClick={() => set.mutate(undefined, { onError: notify_error })}>
      {pinned ? "★ Pinned" : "☆ Pin"}
    </button>
  );
}
