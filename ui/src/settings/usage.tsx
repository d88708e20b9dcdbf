// What the project takes in bytes: by kind, by experiment, by user, as bars.
import { useGet } from "../api/hooks";
import type { UsageBytes } from "../api/types";
import { part } from "../api/client";
import { Link } from "../app/router";
import { Command, Figure, Figures, Loaded } from "../parts/basics";
import { bytes, count, counted } from "../parts/format";
import css from "../overview/overview.module.css";

const kinds: Record<string, string> = { artifacts: "Artifacts", points: "Metric points", logs: "Logs", datasets: "Datasets", traces: "Traces" };

export function Usage() {
  const usage = useGet<UsageBytes>(["usage", "bytes"], "/api/v1/usage/bytes", { every_ms: 60_000 });
  return (
    <Loaded of={usage}>
      {(data) => (
        <div className="stack" style={{ gap: 16, maxWidth: 900 }}>
          <Figures>
            <Figure name="This project" value={bytes(data.bytes)} note="each content once" />
            <Figure name="Shared" value={bytes(data.shared_bytes)} note="more, were it not kept once" />
            <Figure name="Deleted runs" value={bytes(data.deleted_bytes)} note="until slipway gc" />
          </Figures>
          <Bars title="By kind" lines={data.kinds.map(({ kind, bytes: size }) => ({ key: kind, name: kinds[kind] ?? kind, bytes: size }))} />
          <Bars title="By experiment" lines={data.experiments.map((one) => ({ key: one.id, name: <Link to={`/runs?experiment=${part(one.id)}`} className="clip">{one.name}</Link>, bytes: one.bytes, runs: one.run_count }))} />
          <Bars title="By user" lines={data.users.map((one) => ({ key: one.name, name: one.name || <span className="quiet">nobody said</span>, bytes: one.bytes, runs: one.run_count }))} />
          <p className="quiet">By experiment and user, files count for each run that names them, so that lines may add up to more than the project takes.{data.waiting_run_count > 0 && ` ${counted(data.waiting_run_count, "run")} of ${count(data.run_count + data.waiting_run_count)} are still to be measured.`}</p>
          <Command text="slipway gc --dry-run" />
        </div>
      )}
    </Loaded>
  );
}

interface BarLine { key: string; name: React.ReactNode; bytes: number; runs?: number }

function Bars({ title, lines }: { title: string; lines: BarLine[] }) {
  const most = Math.max(...lines.map((line) => line.bytes), 1);
  if (lines.length === 0) return null;
  return (
    <section className="stack" style={{ gap: 4 }} aria-label={title}>
      <h2>{title}</h2>
      <ul className={css.lines}>
        {lines.map((line) => (
          <li key={line.key} className={css.experiment}>
            <span className="clip">{line.name}</span>
            <span className="quiet num">{line.runs === undefined ? "" : counted(line.runs, "run")}</span>
            <span className={css.share} aria-hidden="true"><i style={{ width: `${(line.bytes / most) * 100}%` }} /></span>
            <span className="num">{bytes(line.bytes)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
