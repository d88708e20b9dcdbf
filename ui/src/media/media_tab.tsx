// The media of one run: every key with what it has at the chosen step. What the URL keeps is in settings.tsx.
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { url } from "../api/client";
import { useGet } from "../api/hooks";
import type { MediaItemList, MediaKeyList, Run } from "../api/types";
import { useParam } from "../app/router";
import { Empty, Loaded, Skeleton } from "../parts/basics";
import { count, counted } from "../parts/format";
import { use_width } from "../parts/width";
import { InView } from "../runs/metrics";
import { is_running } from "../runs/state";
import { MediaCell, type Looks } from "./cell";
import { at_step, id_of, place_of_step, steps_of, until_step, type MediaItem, type MediaKey } from "./media";
import { PictureTools, useOver, useStep, useView } from "./settings";
import { StepSlider } from "./slider";
import { prefetch } from "./use_bytes";
import css from "./media.module.css";

/// Beside the events, which may get lost.
const kEveryMs = 10_000;
const kKeysShown = 300;
const kWidthMax = 480;
const kTeach = `mlflow.log_image(image, key="samples", step=step)`;

export function MediaTab({ run }: { run: Run }) {
  const listed = useGet<MediaKeyList>(["media", "run", run.id], `/api/v1/runs/${run.id}/media`, is_running(run) ? { every_ms: kEveryMs } : {});
  return (
    <Loaded of={listed}>
      {({ keys, complete }) => keys.length === 0 ? <Empty command={kTeach}>This run has logged no pictures, sounds, tables or the like{is_running(run) ? " yet" : ""}. In its script:</Empty> : (
        <div className="stack">
          {!complete && <p className="quiet">This run has more files than are looked at; not all of its media are here.</p>}
          <Keys run={run} keys={keys} />
        </div>
      )}
    </Loaded>
  );
}

function Keys({ run, keys }: { run: Run; keys: MediaKey[] }) {
  const [find, set_find] = useParam("find");
  const found = useMemo(() => keys.filter(({ key, kind }) => `${kind} ${key}`.toLowerCase().includes(find.toLowerCase())).sort(with_steps_first), [keys, find]);
  // The slider goes over what is on the page.
  const steps = useMemo(() => steps_of(found), [found]);
  const [step, set_step] = useStep(steps);
  const [view, set_view] = useView();
  const over = useOver();
  return (
    <div className="stack">
      <div className={css.tools}>
        {step !== null && <StepSlider steps={steps} step={step} on_step={set_step} />}
        {keys.some(({ kind }) => kind === "image") && <PictureTools view={view} on_view={set_view} over={over} />}
        {keys.length > 6 && <input aria-label="Find media" placeholder={`Find among ${counted(keys.length, "key")}`} value={find} onChange={(event) => set_find(event.target.value)} />}
      </div>
      <div className={css.keys}>
        {found.slice(0, kKeysShown).map((one) => <InView key={id_of(one)} height={220} className={is_wide(one) ? css.wide! : ""}><OneKey run={run} of={one} step={step} over={over} view={view} on_view={set_view} /></InView>)}
      </div>
      {found.length > kKeysShown && <p className="quiet">{counted(found.length - kKeysShown, "further key")}: name some of them above to find them.</p>}
    </div>
  );
}

/// What needs the width of the page.
const is_wide = ({ kind }: MediaKey) => kind === "table" || kind === "html" || kind === "text" || kind === "json";
const with_steps_first = (a: MediaKey, b: MediaKey) => Number(b.step_count > 0) - Number(a.step_count > 0) || Number(is_wide(a)) - Number(is_wide(b)) || a.key.localeCompare(b.key);

function OneKey({ run, of, step, ...shared }: { run: Run; of: MediaKey; step: number | null } & Pick<Looks, "over" | "view" | "on_view">) {
  const [host, width] = use_width(360, 120);
  const [aspect, on_aspect] = useState(1);
  const listed = useGet<MediaItemList>(
    ["media", "run", run.id, of.kind, of.key], url(`/api/v1/runs/${run.id}/media/items`, { key: of.key, kind: of.kind }), { keep: true, ...(is_running(run) ? { every_ms: kEveryMs } : {}) },
  );
  const items = listed.data?.items ?? [];
  useNeighbours(items, of, step);
  const shown = step === null || of.step_count === 0 ? { items, step: null } : until_step(items, step);
  return (
    <section className={css.key} ref={host} aria-label={of.key}>
      <header><h2 title={of.key}>{of.key}</h2><span className="quiet num">{of.step_count > 0 ? `${counted(of.step_count, "step")}` : of.kind}</span>{shown.step !== null && shown.step !== step && <span className="quiet">{shown.items.length > 0 ? `showing step ${count(shown.step)}` : ""}</span>}</header>
      <Loaded of={listed} what={of.key} skeleton={<Skeleton height={200} />}>
        {() => shown.items.length > 0
          ? <MediaCell items={shown.items} name={shown.step === null ? `${of.key} (${of.kind})` : `${of.key} at step ${shown.step}`} looks={{ width: Math.min(width, kWidthMax), aspect, on_aspect, ...shared }} />
          : <div className={css.absent} style={{ height: 80 }}>{shown.step === null ? "nothing any more" : `nothing before step ${count(shown.step)}`}</div>}
      </Loaded>
    </section>
  );
}

/// The pictures of the steps beside the shown one are fetched before they are asked for.
function useNeighbours(items: MediaItem[], of: MediaKey, step: number | null) {
  const client = useQueryClient();
  useEffect(() => {
    if (of.kind !== "image" || step === null) return;
    const place = place_of_step(of.steps, step);
    for (const near of [of.steps[place + 1], of.steps[place - 1]]) if (near !== undefined) for (const item of at_step(items, near)) prefetch(client, item.file);
  }, [client, items, of, step]);
}
