// Runs beside each other, picture by picture: rows are runs, columns steps; or all runs at one step. All cells show the same part of their
// pictures. Which key, step, part and size are in the URL.
import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { send, type ApiError } from "../api/client";
import type { MediaItemList, MediaKeyList, Run } from "../api/types";
import { Link, useParam } from "../app/router";
import { Empty, Loaded, Swatch } from "../parts/basics";
import { count, counted } from "../parts/format";
import { use_width } from "../parts/width";
import { look_of, type Look } from "../runs/look";
import { InView } from "../runs/metrics";
import { is_running } from "../runs/state";
import { MediaCell, type Looks } from "./cell";
import { at_step, id_of, named, place_of_step, runs_key, window_of, type MediaItem, type MediaKey } from "./media";
import { PictureTools, useOver, useStep, useView } from "./settings";
import { StepSlider } from "./slider";
import { prefetch } from "./use_bytes";
import css from "./media.module.css";

/// As many as the server looks at in one request.
export const kRunsMax = 200;
/// Beside the events, which may get lost.
const kEveryMs = 10_000;
const kSizes = { small: 120, medium: 200, large: 320 } as const;
const kNameWidth = 160;
const kGap = 8;

function useAsked<T>(path: string, more: object, runs: Run[]) {
  const run_ids = runs.map(({ id }) => id);
  return useQuery<T, ApiError>({
    queryKey: [...runs_key(run_ids), path, run_ids, more], queryFn: () => send<T>("POST", path, { run_ids, ...more }), placeholderData: keepPreviousData, refetchInterval: runs.some(is_running) ? kEveryMs : false,
  });
}

export function MediaGrid({ runs: all }: { runs: Run[] }) {
  const runs = all.slice(0, kRunsMax);
  const listed = useAsked<MediaKeyList>("/api/v1/media/keys", {}, runs);
  return (
    <Loaded of={listed}>
      {({ keys, complete }) => keys.length === 0 ? <Empty command={`mlflow.log_image(image, key="samples", step=step)`}>None of these runs has logged pictures, sounds, tables or the like. In their script:</Empty> : (
        <div className="stack">
          {all.length > kRunsMax && <p className="quiet">The first {counted(kRunsMax, "run")} of {count(all.length)}.</p>}
          {!complete && <p className="quiet">These runs have more files than are looked at; not all of their media are here.</p>}
          <OneKey runs={runs} keys={[...keys].sort(best_first)} />
        </div>
      )}
    </Loaded>
  );
}

/// Pictures of many runs and steps are what one comes for.
const best_first = (a: MediaKey, b: MediaKey) => Number(b.kind === "image") - Number(a.kind === "image") || b.runs - a.runs || Number(b.step_count > 0) - Number(a.step_count > 0) || a.key.localeCompare(b.key);

function OneKey({ runs, keys }: { runs: Run[]; keys: MediaKey[] }) {
  const [id, set_id] = useParam("media");
  const [size, set_size] = useParam("size", "medium");
  const [way, set_way] = useParam("across", "steps");
  const of = named(keys, id) ?? keys[0]!;
  const [step, set_step] = useStep(of.steps);
  const [view, on_view] = useView();
  const over = useOver();
  const [aspect, on_aspect] = useState(1);
  const listed = useAsked<MediaItemList>("/api/v1/media/items", { key: of.key, kind: of.kind }, runs);
  const by_run = useMemo(() => grouped(listed.data?.items ?? []), [listed.data]);
  const looks = { width: kSizes[size as keyof typeof kSizes] ?? kSizes.medium, aspect, on_aspect, over, view, on_view };
  const over_steps = of.kind === "image" && of.step_count > 1 && way === "steps";
  return (
    <>
      <div className={css.tools}>
        <label>Show <select value={id_of(of)} onChange={(event) => set_id(event.target.value)} aria-label="Which media">{keys.map((one) => <option key={id_of(one)} value={id_of(one)}>{one.key} ({one.kind}, {counted(one.runs, "run")})</option>)}</select></label>
        {of.kind === "image" && of.step_count > 1 && <label>Across <select value={way} onChange={(event) => set_way(event.target.value)} aria-label="What lies across"><option value="steps">steps</option><option value="runs">runs, at one step</option></select></label>}
        {of.kind === "image" && <label>Size <select value={size} onChange={(event) => set_size(event.target.value)} aria-label="Size of the pictures">{Object.keys(kSizes).map((one) => <option key={one}>{one}</option>)}</select></label>}
        {of.kind === "image" && <PictureTools view={view} on_view={on_view} over={over} />}
        {step !== null && <StepSlider steps={of.steps} step={step} on_step={set_step} />}
      </div>
      <Loaded of={listed} what={of.key}>
        {() => over_steps ? <StepsAcross runs={runs} of={of} step={step!} by_run={by_run} looks={looks} on_step={set_step} /> : <RunsAcross runs={runs} of={of} step={step} by_run={by_run} looks={looks} />}
      </Loaded>
    </>
  );
}

type ByRun = Map<string, MediaItem[]>;
function grouped(items: MediaItem[]): ByRun {
  const found: ByRun = new Map();
  for (const item of items) { const of = found.get(item.run_id); if (of) of.push(item); else found.set(item.run_id, [item]); }
  return found;
}

const RunName = ({ run, look }: { run: Run; look: Look }) => <span className={css.run}><Swatch color={look.color} /><Link to={`/runs/${run.id}?tab=media`}>{look.label}</Link></span>;

function StepsAcross({ runs, of, step, by_run, looks, on_step }: { runs: Run[]; of: MediaKey; step: number; by_run: ByRun; looks: Looks; on_step: (step: number) => void }) {
  const [host, width] = use_width(960, 200);
  const names = look_of(runs);
  const fits = Math.max(1, Math.floor((width - kNameWidth) / (looks.width + kGap)));
  const place = place_of_step(of.steps, step);
  const shown = window_of(of.steps, place, fits);
  usePrefetch(runs, by_run, [of.steps[of.steps.indexOf(shown[0]!) - 1], of.steps[of.steps.indexOf(shown.at(-1)!) + 1]]);
  return (
    <div ref={host} className={css.grid} tabIndex={0} role="region" aria-label={`${of.key} of each run, step by step`}>
      <table>
        <thead><tr><th scope="col">Run</th>{shown.map((one) => <th key={one} scope="col" className={one === step ? css.now : undefined} aria-current={one === step ? "step" : undefined}><button type="button" className="plain small" onClick={() => on_step(one)}>step {count(one)}</button></th>)}</tr></thead>
        <tbody>
          {runs.map((run) => (
            <tr key={run.id}>
              <th scope="row"><RunName run={run} look={names.get(run.id)!} /></th>
              {shown.map((one) => <td key={one}><InView height={40}><At items={at_step(by_run.get(run.id) ?? [], one)} of={of} step={one} run={names.get(run.id)!.label} looks={looks} /></InView></td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function RunsAcross({ runs, of, step, by_run, looks }: { runs: Run[]; of: MediaKey; step: number | null; by_run: ByRun; looks: Looks }) {
  const names = look_of(runs);
  const place = step === null ? -1 : place_of_step(of.steps, step);
  usePrefetch(runs, by_run, [of.steps[place - 1], of.steps[place + 1]]);
  return (
    <ul className={css.tiles} aria-label={`${of.key} of each run`}>
      {runs.map((run) => {
        const { label } = names.get(run.id)!;
        const items = by_run.get(run.id) ?? [];
        return (
          <li key={run.id} className={css.tile} style={{ width: of.kind === "image" ? looks.width : "min(100%, 560px)" }}>
            <RunName run={run} look={names.get(run.id)!} />
            <InView height={60}><At items={step === null ? items : at_step(items, step)} of={of} step={step} run={label} looks={looks} /></InView>
          </li>
        );
      })}
    </ul>
  );
}

/// A cell, which says so when there is nothing for it.
function At({ items, of, step, run, looks }: { items: MediaItem[]; of: MediaKey; step: number | null; run: string; looks: Looks }) {
  if (items.length === 0) return <div className={css.absent} style={{ width: of.kind === "image" ? looks.width : "100%", minHeight: 48 }}>{step === null ? "nothing" : `nothing at step ${count(step)}`}</div>;
  return <MediaCell items={items} name={`${of.key} of ${run}${step === null ? "" : ` at step ${step}`}`} looks={looks} />;
}

function usePrefetch(runs: Run[], by_run: ByRun, steps: (number | undefined)[]) {
  const client = useQueryClient();
  const wanted = steps.join(",");
  useEffect(() => {
    for (const run of runs) for (const item of by_run.get(run.id) ?? []) if (item.kind === "image" && item.step !== null && steps.includes(item.step)) prefetch(client, item.preview ?? item.file);
    // eslint-disable-next-line react-hooks/exhaustive-deps -- wanted stands for steps
  }, [client, by_run, wanted]);
}
