import { useMemo } from "react";
import { Problem, Skeleton } from "../parts/basics";
import { Code } from "../parts/code";
import { counted } from "../parts/format";
import { Markdown } from "../parts/markdown";
import { level_for } from "./headings";
import type { MediaFile } from "./media";
import { notebook_of, type Cell } from "./notebook";
import { useText } from "./use_bytes";
import css from "./media.module.css";

/// A notebook to read, nothing of it runs.
export function NotebookView({ file, name }: { file: MediaFile; name: string }) {
  const { text, error, problem } = useText(file, 32 << 20);
  const notebook = useMemo(() => {
    if (text === undefined) return undefined;
    try { return notebook_of(JSON.parse(text)); } catch { return null; }
  }, [text]);
  if (error) return <Problem error={error} what={name} />;
  if (problem) return <p className="quiet">{problem}</p>;
  if (text === undefined || notebook === undefined) return <Skeleton rows={8} />;
  if (notebook === null) return <><p className="quiet">This file is no notebook.</p><Code text={text} name={name} /></>;
  const level = level_for(notebook.cells.filter(({ kind }) => kind === "markdown").map(({ source }) => source).join("\n"), 3);
  return (
    <div className={css.cells}>
      {notebook.cells.map((cell, i) => <OneCell key={i} cell={cell} number={i + 1} level={level} />)}
      {notebook.left_out > 0 && <p className="quiet">{counted(notebook.left_out, "further cell")}</p>}
    </div>
  );
}

function OneCell({ cell, number, level }: { cell: Cell; number: number; level: number }) {
  if (cell.kind === "markdown") return <section aria-label={`Cell ${number}`}><Markdown text={cell.source} level={level} /></section>;
  return (
    <section className={css.cell} aria-label={`Cell ${number}`}>
      {cell.number !== null && <div className={css.cell_number}>[{cell.number}]</div>}
      {cell.source && <Code text={cell.source} name={`source of cell ${number}`} height={360} />}
      {cell.outputs.map((output, i) => (
        <div key={i} className={css.output} tabIndex={0} role="region" aria-label={`Output ${i + 1} of cell ${number}`}>
          {output.kind === "image" ? <img src={output.text} alt={`Output ${i + 1} of cell ${number}`} /> : <pre className={output.kind === "error" ? css.wrong : undefined}>{output.text}</pre>}
        </div>
      ))}
      {cell.left_out.length > 0 && <p className="quiet">Not shown: output of type {cell.left_out.join(", ")}.</p>}
    </section>
  );
}
