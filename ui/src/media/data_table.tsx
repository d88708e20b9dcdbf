// A table that somebody logged: CSV, JSON of data frames, or some rows of a Parquet file that the server reads.
import { useMemo, useState } from "react";
import { parts, url } from "../api/client";
import { useGet } from "../api/hooks";
import type { ArtifactTable } from "../api/types";
import { Loaded } from "../parts/basics";
import { count, counted, number } from "../parts/format";
import { parse_csv, type Table } from "./csv";
import { content_address } from "./media";
import css from "./media.module.css";

export const kRowsShown = 500;
const kCellCharacters = 500;
const kPage = 100;

export function DataTable({ table, run, name }: { table: Table; run: string; name: string }) {
  return (
    <div className="stack">
      <Rows table={table} run={run} name={name} />
      <p className="quiet">{counted(table.total, "row")}{table.total > table.rows.length && `, the first ${count(table.rows.length)} shown`}</p>
    </div>
  );
}

function Rows({ table, run, name }: { table: Table; run: string; name: string }) {
  return (
    <div className={css.table} tabIndex={0} role="region" aria-label={name}>
      <table>
        <thead><tr>{table.columns.map((column, i) => <th key={i} scope="col" className={column.numeric ? css.right : undefined}>{column.name}</th>)}</tr></thead>
        <tbody>
          {table.rows.map((row, i) => (
            <tr key={i}>{table.columns.map(({ numeric }, j) => <td key={j} className={numeric ? `${css.right} num` : undefined}><Cell value={row[j]} numeric={numeric} run={run} /></td>)}</tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Cell({ value, numeric, run }: { value: unknown; numeric: boolean; run: string }) {
  if (value === null || value === undefined || value === "") return <span className="quiet">–</span>;
  if (numeric) { const found = Number(value); return <span title={String(value)}>{Number.isFinite(found) ? number(found, 5) : String(value)}</span>; }
  if (typeof value !== "object") return <span title={String(value).slice(0, kCellCharacters)}>{String(value).slice(0, kCellCharacters)}</span>;
  const picture = picture_of(value);
  if (picture) return <img src={content_address(run, picture)} alt={picture.split("/").at(-1)} loading="lazy" />;
  const words = JSON.stringify(value).slice(0, kCellCharacters);
  return <code title={words}>{words}</code>;
}

/// How MLflow's log_table writes a picture: {"type": "image", "filepath": …, "compressed_filepath": …}.
function picture_of(value: object): string | null {
  const { type, filepath, compressed_filepath } = value as { [name: string]: unknown };
  const path = typeof compressed_filepath === "string" ? compressed_filepath : filepath;
  return type === "image" && typeof path === "string" ? path : null;
}

export function Csv({ text, run, name }: { text: string; run: string; name: string }) {
  const table = useMemo(() => parse_csv(text, kRowsShown), [text]);
  return <DataTable table={table} run={run} name={name} />;
}

const kNumeric = /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DOUBLE|FLOAT|DECIMAL)/;

export function ParquetTable({ run, path, name }: { run: string; path: string; name: string }) {
  const [offset, set_offset] = useState(0);
  const read = useGet<ArtifactTable>(["runs", run, "table", path, offset], url(`/api/v1/runs/${run}/artifacts/table/${parts(path)}`, { offset, rows: kPage }), { keep: true, stale_ms: Infinity });
  return (
    <Loaded of={read} what={name}>
      {({ columns, rows, row_count, column_count }) => (
        <div className="stack">
          <Rows table={{ columns: columns.map((column) => ({ name: column.name, numeric: kNumeric.test(column.type) })), rows, total: row_count }} run={run} name={name} />
          <div className="row">
            <span className="quiet">{row_count === 0 ? "no rows" : `rows ${count(offset + 1)} to ${count(offset + rows.length)} of ${count(row_count)}`}{column_count > columns.length && `, ${counted(columns.length, "column")} of ${count(column_count)}`}</span>
            <button type="button" className="small" disabled={offset === 0} onClick={() => set_offset(Math.max(0, offset - kPage))}>Earlier rows</button>
            <button type="button" className="small" disabled={offset + kPage >= row_count} onClick={() => set_offset(offset + kPage)}>Later rows</button>
          </div>
        </div>
      )}
    </Loaded>
  );
}
