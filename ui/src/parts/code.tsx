// Text as it is, with line numbers; JSON in colours; diffs by file. Only the lines in view exist.
import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef, useState, type ReactNode } from "react";
import { Copy } from "./basics";
import { counted } from "./format";
import { parse_diff, type DiffFile } from "./diff";
import css from "./code.module.css";

const kLine = 18;

export function Code({ text, name, height }: { text: string; name: string; height?: number }) {
  const scroller = useRef<HTMLDivElement>(null);
  const lines = useMemo(() => text.replace(/\n$/, "").split("\n"), [text]);
  const virtual = useVirtualizer({ count: lines.length, getScrollElement: () => scroller.current, estimateSize: () => kLine, overscan: 20 });
  const is_json = /\.json$/.test(name) || /^\s*[{[]/.test(text);
  const full = Math.min(lines.length * kLine + 12, height ?? 560);
  return (
    <div className={css.code}>
      <div className={css.tools}><span className="quiet num">{name} · {counted(lines.length, "line")}</span><Copy text={text} /></div>
      <div ref={scroller} className={css.scroller} style={{ height: full }} tabIndex={0} role="region" aria-label={name}>
        <div style={{ height: virtual.getTotalSize(), position: "relative" }}>
          {virtual.getVirtualItems().map((item) => (
            <div key={item.index} className={css.line} style={{ transform: `translateY(${item.start}px)` }}>
              <span className={css.number} aria-hidden="true">{item.index + 1}</span><code>{is_json ? colour_json(lines[item.index]!) : lines[item.index]}</code>
            </div>
          ))}
        </div>
      </div>
    </div>
  );
}

function colour_json(line: string): ReactNode {
  return line.split(/("(?:[^"\\]|\\.)*"\s*:|"(?:[^"\\]|\\.)*"|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/).map((piece, i) => {
    if (i % 2 === 0) return piece;
    const kind = piece.endsWith(":") ? css.key : piece.startsWith('"') ? css.string : css.literal;
    return <span key={i} className={kind}>{piece}</span>;
  });
}

export function Diff({ text, empty }: { text: string; empty: string }) {
  const files = useMemo(() => parse_diff(text), [text]);
  if (files.length === 0) return <p className="quiet">{empty}</p>;
  const added = files.reduce((sum, file) => sum + file.added, 0);
  const removed = files.reduce((sum, file) => sum + file.removed, 0);
  return (
    <div className="stack">
      <div className={css.tools}>
        <span>{counted(files.length, "file")} changed, <span className={css.plus}>{counted(added, "line")} added</span>, <span className={css.minus}>{counted(removed, "line")} removed</span></span>
        <Copy text={text} label="Copy the diff" />
      </div>
      {files.map((file, i) => <OneFile key={`${file.path} ${i}`} file={file} open={files.length <= 20} />)}
    </div>
  );
}

const kLinesShown = 2000;

function OneFile({ file, open: first }: { file: DiffFile; open: boolean }) {
  const [all, set_all] = useState(false);
  const lines = all ? file.lines : file.lines.slice(0, kLinesShown);
  return (
    <details open={first} className={css.file}>
      <summary>
        <code>{file.from ? `${file.from} → ${file.path}` : file.path}</code>
        <span className="quiet">{file.status === "changed" ? "" : file.status}</span>
        <span className="num"><span className={css.plus}>+{file.added}</span> <span className={css.minus}>−{file.removed}</span></span>
      </summary>
      {file.status === "binary" ? <p className={css.binary}>A binary file: its bytes are kept, not shown.</p> : (
        <div className={css.table} tabIndex={0} role="region" aria-label={`Changes in ${file.path}`}>
          <table>
            <tbody>
              {lines.map((line, i) => (
                <tr key={i} className={css[line.kind]}>
                  <td className={css.number}>{line.old}</td><td className={css.number}>{line.new}</td>
                  <td className={css.sign}>{line.kind === "added" ? "+" : line.kind === "removed" ? "−" : ""}</td>
                  <td><code>{line.text || " "}</code></td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {lines.length < file.lines.length && <button type="button" className="small" onClick={() => set_all(true)}>Show the other {counted(file.lines.length - lines.length, "line")}</button>}
    </details>
  );
}
