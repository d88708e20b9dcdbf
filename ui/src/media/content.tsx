// One file of a run, shown as what it is.
import { useMemo } from "react";
import { Problem, Skeleton } from "../parts/basics";
import { Code } from "../parts/code";
import { Markdown } from "../parts/markdown";
import { ChartView } from "./chart_view";
import { table_of_json } from "./csv";
import { Csv, DataTable, kRowsShown, ParquetTable } from "./data_table";
import { level_for } from "./headings";
import type { MediaFile, MediaKind } from "./media";
import { PageFrame } from "./page_frame";
import { from_plotly, is_plotly } from "./plotly";
import { Sound, Video } from "./sound";
import { useText } from "./use_bytes";
import { from_vega, is_vega } from "./vega";

/// Every kind but pictures.
export function Content({ run, file, kind, name }: { run: string; file: MediaFile; kind: MediaKind; name: string }) {
  switch (kind) {
    case "audio": return <Sound run={run} file={file} name={name} />;
    case "video": return <Video run={run} file={file} name={name} />;
    case "html": return <PageFrame run={run} file={file} name={name} />;
    case "table": return /\.parquet$/i.test(file.path) ? <ParquetTable run={run} path={file.path} name={name} /> : <TextContent run={run} file={file} name={name} />;
    default: return <TextContent run={run} file={file} name={name} />;
  }
}

/// Files of text by their ending: tables, plots and JSON by what is in them, Markdown, and else the text itself.
export function TextContent({ run, file, name }: { run: string; file: MediaFile; name: string }) {
  const { text, error, problem } = useText(file);
  if (error) return <Problem error={error} what={name} />;
  if (problem) return <p className="quiet">{problem}</p>;
  if (text === undefined) return <Skeleton rows={4} />;
  if (/\.[ct]sv$/i.test(file.path)) return <Csv text={text} run={run} name={name} />;
  if (/\.json$/i.test(file.path)) return <JsonContent text={text} run={run} name={name} />;
  if (/\.(md|markdown)$/i.test(file.path)) return <Markdown text={text} level={level_for(text, 3)} />;
  return <Code text={text} name={name} height={420} />;
}

function JsonContent({ text, run, name }: { text: string; run: string; name: string }) {
  const shown = useMemo(() => read(text), [text]);
  if (shown.kind === "table") return <DataTable table={shown.table} run={run} name={name} />;
  if (shown.kind === "chart") return <ChartView chart={shown.chart} name={name} />;
  return <Code text={shown.text} name={name} height={420} />;
}

function read(text: string) {
  let json: unknown;
  // Python writes numbers that JSON does not have.
  try { json = JSON.parse(text); } catch {
    try { json = JSON.parse(text.replace(/(?<=[[:,]\s*)(NaN|-?Infinity)(?=\s*[,\]}])/g, "null")); } catch { return { kind: "text", text } as const; }
  }
  if (is_vega(json)) return { kind: "chart", chart: from_vega(json) } as const;
  const table = table_of_json(json, kRowsShown);
  if (table) return { kind: "table", table } as const;
  if (is_plotly(json)) return { kind: "chart", chart: from_plotly(json) } as const;
  return { kind: "text", text: JSON.stringify(json, null, 2) } as const;
}
