// Columns of runs as columns of a table whose rows are runs or groups of them.
import type { ReactNode } from "react";
import type { Run } from "../api/types";
import { counted, number } from "../parts/format";
import type { Column } from "../parts/table";
import { short_key } from "./grouping";
import { aggregate, kAggregates, numbers_of, type Aggregate, type GroupRow, type TableRow } from "./run_groups";
import css from "./runs.module.css";

/// A group's name says more than a run's.
const kGroupWidth = 300;

export function table_columns(columns: Column<Run>[], how: Aggregate, toggle: (key: string) => void, grouped: boolean): Column<TableRow>[] {
  return columns.map((column, i): Column<TableRow> => ({
    ...column, ...(grouped && i === 0 ? { width: kGroupWidth } : {}),
    value: (row) => (row.kind === "run" ? column.value?.(row.run) : aggregate_of(row, column, how)),
    cell: (row) => {
      if (row.kind === "run") return i === 0 && row.inside ? <span className={css.inside}>{cell_of(row.run, column)}</span> : cell_of(row.run, column);
      return i === 0 ? <GroupName row={row} toggle={toggle} /> : <Summary row={row} column={column} how={how} />;
    },
  }));
}

const cell_of = (run: Run, column: Column<Run>): ReactNode => (column.cell ? column.cell(run) : (column.value?.(run) ?? <span className="quiet">–</span>));
const values_of = (row: GroupRow, column: Column<Run>) => row.runs.map((run) => column.value?.(run));

function aggregate_of(row: GroupRow, column: Column<Run>, how: Aggregate): number | null {
  const numbers = column.right ? numbers_of(values_of(row, column)) : [];
  return numbers.length ? aggregate(numbers, how) : null;
}

function GroupName({ row, toggle }: { row: GroupRow; toggle: (key: string) => void }) {
  const name = row.values.map(({ column, value }) => `${short_key(column)} = ${value ?? "–"}`).join(", ");
  return (
    <button type="button" className={css.group} aria-expanded={row.open} title={`${name}: ${counted(row.runs.length, "run")}`} onClick={() => toggle(row.key)}>
      <span aria-hidden="true">{row.open ? "▾" : "▸"}</span><span className="clip">{name}</span><span className="quiet num">{row.runs.length}</span>
    </button>
  );
}

/// Of numbers the aggregate, of others the one value they have or how many there are.
function Summary({ row, column, how }: { row: GroupRow; column: Column<Run>; how: Aggregate }) {
  const values = values_of(row, column);
  const distinct = new Set(values.filter((value) => value !== null && value !== undefined));
  if (distinct.size === 0) return <span className="quiet">–</span>;
  const numbers = column.right ? numbers_of(values) : [];
  if (distinct.size === 1) return cell_of(row.runs.find((run) => column.value?.(run) !== null && column.value?.(run) !== undefined)!, column);
  if (numbers.length === 0) return <span className="quiet">{counted(distinct.size, "value")}</span>;
  const text = (which: Aggregate) => (column.text ?? number)(aggregate(numbers, which));
  return <span title={`${kAggregates[how]} of ${counted(numbers.length, "run")}: from ${text("min")} to ${text("max")}, mean ${text("mean")}`}>{text(how)}</span>;
}
