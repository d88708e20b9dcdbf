// What differs between two commits: the samples that came, went and changed.
import { part, url } from "../api/client";
import { useGet } from "../api/hooks";
import type { Dataset, DatasetDiff, Sample } from "../api/types";
import { useBack } from "../app/keys";
import { curl, python, quoted, usePage } from "../app/page";
import { Link, set_search, useParam } from "../app/router";
import { Empty, Figure, Figures, Loaded } from "../parts/basics";
import { Head, ScrollPage, Section } from "../parts/detail";
import { count, short_id } from "../parts/format";
import { Picture } from "../parts/images";
import { face_of, label_text, sample_url } from "./links";
import css from "./data.module.css";

const kShown = 300;

export default function DatasetDiffPage({ name = "" }: Record<string, string>) {
  const [from] = useParam("from", "main");
  const [to] = useParam("to");
  const dataset = useGet<Dataset>(["datasets", name, "record"], `/api/v1/datasets/${part(name)}`);
  const api = url(`/api/v1/datasets/${part(name)}/diff`, { from, to });
  const diff = useGet<DatasetDiff>(["datasets", name, "diff", from, to], api, { enabled: !!from && !!to });
  usePage([{ name: "Data", to: "/datasets" }, { name, to: `/datasets/${part(name)}` }, { name: "Changes" }], [
    { what: "Show what changed", cli: `slipway data diff ${quoted(name)} ${quoted(from)} ${quoted(to)}`, curl: curl(api), python: python(api) },
  ]);
  useBack(`/datasets/${part(name)}`);
  const refs = [...new Set([from, to, ...(dataset.data?.branches.map((branch) => branch.name) ?? [])].filter(Boolean))];
  const choose = (param: string, value: string, label: string) => (
    <label>{label} <select value={value} onChange={(event) => set_search({ [param]: event.target.value })}>{!value && <option value="">choose</option>}{refs.map((ref) => <option key={ref} value={ref}>{ref.length >= 26 ? short_id(ref) : ref}</option>)}</select></label>
  );
  return (
    <ScrollPage>
      <Head title={`Changes in ${name}`}>{choose("from", from, "From")}{choose("to", to, "to")}</Head>
      {!to ? <Empty>Choose two branches or commits.</Empty> : (
        <Loaded of={diff}>
          {({ added, removed, changed, counts }) => (
            <>
              <Figures><Figure name="Added" value={count(counts.added)} /><Figure name="Removed" value={count(counts.removed)} /><Figure name="Changed" value={count(counts.changed)} /></Figures>
              {counts.added + counts.removed + counts.changed === 0 && <Empty>Both have exactly the same samples, byte for byte.</Empty>}
              <Group title="Added" samples={added} total={counts.added} dataset={name} at={to} />
              <Group title="Removed" samples={removed} total={counts.removed} dataset={name} at={from} />
              {changed.length > 0 && (
                <Section title="Changed">
                  <ul className={css.changes}>
                    {changed.slice(0, kShown).map(({ before, after }) => (
                      <li key={after.key}><Picture hash={face_of(before, null)?.hash ?? null} size={64} /><span aria-hidden="true">→</span><Picture hash={face_of(after, null)?.hash ?? null} size={64} />
                        <div><Link to={sample_url(name, to, after.key)}>{after.key}</Link><div className="quiet">{what_changed(before, after)}</div></div></li>
                    ))}
                  </ul>
                </Section>
              )}
            </>
          )}
        </Loaded>
      )}
    </ScrollPage>
  );
}

export function what_changed(before: Sample, after: Sample): string {
  const words: string[] = [];
  if (label_text(before.label) !== label_text(after.label)) words.push(`label ${label_text(before.label) ?? "none"} → ${label_text(after.label) ?? "none"}`);
  for (const name of new Set([...Object.keys(before.streams), ...Object.keys(after.streams)])) if (before.streams[name]?.hash !== after.streams[name]?.hash) words.push(`other bytes in ${name}`);
  for (const name of new Set([...Object.keys(before.attributes), ...Object.keys(after.attributes)])) if (before.attributes[name] !== after.attributes[name]) words.push(`${name} ${before.attributes[name] ?? "none"} → ${after.attributes[name] ?? "none"}`);
  return words.join(", ");
}

function Group({ title, samples, total, dataset, at }: { title: string; samples: Sample[]; total: number; dataset: string; at: string }) {
  if (samples.length === 0) return null;
  return (
    <Section title={title} note={total > kShown ? <span className="quiet">the first {kShown} of {count(total)}</span> : undefined}>
      <ul className={css.wall}>
        {samples.slice(0, kShown).map((sample) => (
          <li key={sample.key}><Link to={sample_url(dataset, at, sample.key)} title={sample.key}><Picture hash={face_of(sample, null)?.hash ?? null} size={72} name={sample.key} /><span className="quiet">{label_text(sample.label) ?? sample.key}</span></Link></li>
        ))}
      </ul>
    </Section>
  );
}
