// A table of some runs inside a report.
import { useMemo } from "react";
import type { Run, RunColumns } from "../api/types";
import { Problem, Skeleton } from "../parts/basics";
import type { Column } from "../parts/table";
import { run_columns } from "../runs/columns";
import type { Block } from "./blocks";
import { Under, Wrong } from "./chart_block";
import { useFound, type Found } from "./found";
import runs_css from "../runs/runs.module.css";
import css from "./reports.module.css";

const kRows = 20;

const keyed = (id: string) => /^(metrics|params|tags)\./.test(id);
/// Without columns, or with none of the server's, the server answers the first of each.
const columns_of = ({ columns }: Block) => columns.filter(keyed).map(quoted).join(",");
function quoted(id: string): string {
  const at = id.indexOf(".") + 1;
  return /[^\w.]/.test(id.slice(at)) ? `${id.slice(0, at)}\`${id.slice(at)}\`` : id;
}

export function RunsBlock({ text }: { text: string }) {
  const found = useFound("runs", text, kRows, columns_of);
  if (found.problems.length > 0) return <Wrong problems={found.problems} text={text} />;
  if (found.error) return <Problem error={found.error} again={found.again} />;
  if (found.runs === undefined) return <Skeleton rows={6} />;
  return <Rows found={found} runs={found.runs} />;
}

function Rows({ found, runs }: { found: Found; runs: Run[] }) {
  const wanted = found.block.columns;
  const columns = useMemo(() => chosen(run_columns(known_of(runs, wanted)), wanted), [runs, wanted]);
  return (
    <figure className={css.block} aria-label="Table of runs">
      {runs.length === 0 ? <p className="quiet">No run is found.</p> : (
        <div className={runs_css.over} tabIndex={0} role="region" aria-label="Runs">
          <table className={`${runs_css.values} ${css.table}`}>
            <thead><tr>{columns.map(({ id, name, right }) => <th key={id} className={right ? runs_css.right : undefined}>{name}</th>)}</tr></thead>
            <tbody>
              {runs.map((run) => (
                <tr key={run.id}>{columns.map((column) => <td key={column.id} className={column.right ? `${runs_css.right} num` : undefined}>{column.cell ? column.cell(run) : (column.value?.(run) ?? <span className="quiet">–</span>)}</td>)}</tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <Under found={found} page="/runs" shown={runs.length} />
    </figure>
  );
}

/// What the runs have, and what the block names although none has it.
function known_of(runs: Run[], wanted: string[]): RunColumns {
  const keys = (kind: string, of: (run: Run) => object) => [...new Set([...wanted.filter((id) => id.startsWith(`${kind}.`)).map((id) => id.slice(kind.length + 1)), ...runs.flatMap((run) => Object.keys(of(run)))])];
  return { metrics: keys("metrics", (run) => run.metrics), parameters: keys("params", (run) => run.parameters), tags: keys("tags", (run) => run.tags) };
}

/// In the block's order; the name always stands in front.
function chosen(all: Column<Run>[], wanted: string[]): Column<Run>[] {
  if (wanted.length === 0) return all.filter(({ hidden }) => !hidden);
  const of = (id: string) => all.find((column) => column.id === id);
  return [...(wanted.includes("name") ? [] : [of("name")]), ...wanted.map(of)].filter((column) => column !== undefined);
}
