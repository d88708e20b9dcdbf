// Notebooks of Jupyter (nbformat 4, and 3 as far as it is the same): cells and what came out of them.
import { list, record, text } from "./chart";

export interface Output { kind: "text" | "error" | "image"; text: string }
export interface Cell { kind: "markdown" | "code" | "raw"; source: string; number: number | null; outputs: Output[]; left_out: string[] }

const kCellsMax = 1000;
const kPictures = ["image/png", "image/jpeg", "image/gif"];

/// null for JSON that is no notebook.
export function notebook_of(json: unknown): { cells: Cell[]; language: string; left_out: number } | null {
  const found = record(json);
  const cells = Array.isArray(found["cells"]) ? found["cells"] : list(found["worksheets"]).flatMap((sheet) => list(record(sheet)["cells"]));
  if (!("nbformat" in found)) return null;
  const metadata = record(found["metadata"]);
  return {
    cells: cells.slice(0, kCellsMax).map((one) => cell_of(record(one))), left_out: Math.max(0, cells.length - kCellsMax),
    language: text(record(metadata["language_info"])["name"]) || text(record(metadata["kernelspec"])["language"]),
  };
}

function cell_of(found: Record<string, unknown>): Cell {
  const kind = found["cell_type"] === "markdown" || found["cell_type"] === "code" ? found["cell_type"] : "raw";
  const number = found["execution_count"] ?? found["prompt_number"];
  const cell: Cell = { kind, source: lines(found["source"] ?? found["input"]), number: typeof number === "number" ? number : null, outputs: [], left_out: [] };
  for (const output of list(found["outputs"]).map(record)) add(cell, output);
  return cell;
}

function add(cell: Cell, output: Record<string, unknown>) {
  if (output["output_type"] === "stream") { cell.outputs.push({ kind: "text", text: lines(output["text"]) }); return; }
  if (output["output_type"] === "error" || output["output_type"] === "pyerr") {
    cell.outputs.push({ kind: "error", text: lines(list(output["traceback"]).join("\n")) || `${text(output["ename"])}: ${text(output["evalue"])}` });
    return;
  }
  const data = record(output["data"]);
  const picture = kPictures.find((type) => typeof data[type] === "string" || Array.isArray(data[type]));
  if (picture) { cell.outputs.push({ kind: "image", text: `data:${picture};base64,${lines(data[picture]).replace(/[^A-Za-z0-9+/=]/g, "")}` }); return; }
  const plain = lines(data["text/plain"] ?? output["text"]);
  if (plain) cell.outputs.push({ kind: "text", text: plain });
  else cell.left_out.push(...Object.keys(data));
}

/// Notebooks keep texts as lists of lines.
const lines = (value: unknown): string => (Array.isArray(value) ? value.map(text).join("") : text(value)).replace(/\x1b\[[0-9;]*m/g, "");
