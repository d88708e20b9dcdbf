import { useMemo, useState } from "react";
import { useQuery } from "@tanstack/react-query";
import { ask, part } from "../api/client";
import { Facts, Problem, Skeleton } from "../parts/basics";
import { count, counted } from "../parts/format";
import type { MediaFile } from "./media";
import { kOperatorsMax, read_onnx, windowed, type OnnxModel, type Operator, type Tensor } from "./onnx";
import css from "./media.module.css";

const kWindowBytes = 1 << 20;
const kShown = 300;

/// What a model consists of: what goes in and out, and its operators in their order, each naming what it reads.
export function OnnxView({ file, name }: { file: MediaFile; name: string }) {
  const model = useQuery<OnnxModel>({
    queryKey: ["blob", file.hash, "onnx"], staleTime: Infinity, retry: false,
    queryFn: ({ signal }) => read_onnx(windowed(file.size, kWindowBytes, async (from, to) => {
      const answer = await ask(`/api/v1/blobs/${part(file.hash)}`, { headers: { Accept: "*/*", Range: `bytes=${from}-${to - 1}` }, signal });
      return new Uint8Array(await answer.arrayBuffer());
    }), file.size),
  });
  if (model.error) return <Problem error={model.error} what={`${name} could not be read as ONNX`} />;
  return model.data ? <Structure model={model.data} name={name} /> : <Skeleton rows={6} />;
}

const words = ({ name, type, shape }: Tensor) => `${name}: ${type}${shape.length ? ` [${shape.join(" × ")}]` : ""}`;

function Structure({ model, name }: { model: OnnxModel; name: string }) {
  const [find, set_find] = useState("");
  const types = useMemo(() => counts(model.operators), [model]);
  const found = model.operators.filter((one) => `${one.type} ${one.name} ${one.inputs.join(" ")} ${one.outputs.join(" ")}`.toLowerCase().includes(find.toLowerCase()));
  return (
    <div className="stack">
      <Facts of={[
        ["Inputs", <Lines of={model.inputs.map(words)} />], ["Outputs", <Lines of={model.outputs.map(words)} />],
        ["Weights", `${counted(model.parameters, "number")} in ${counted(model.weights, "tensor")}`], ["Made by", model.producer || null],
        ["Opset", model.opsets.map(({ domain, version }) => `${domain || "ai.onnx"} ${version}`).join(", ") || null],
        ["Operators", types.map(([type, times]) => `${type} ${times}`).join(", ")],
      ]} />
      {model.operators.length > 10 && <input style={{ maxWidth: 280 }} aria-label="Find an operator" placeholder={`Find among ${counted(model.operators.length, "operator")}`} value={find} onChange={(event) => set_find(event.target.value)} />}
      <div className={`${css.table} ${css.nodes}`} tabIndex={0} role="region" aria-label={`Operators of ${name}`}>
        <table>
          <thead><tr><th scope="col">Operator</th><th scope="col">Name</th><th scope="col">Reads</th><th scope="col">Writes</th></tr></thead>
          <tbody>{found.slice(0, kShown).map((one, i) => <tr key={i}><td>{one.domain && one.domain !== "ai.onnx" ? `${one.domain}.` : ""}{one.type}</td><td>{one.name}</td><td>{one.inputs.join(", ")}</td><td>{one.outputs.join(", ")}</td></tr>)}</tbody>
        </table>
      </div>
      <p className="quiet">{counted(found.length, "operator")}{found.length > kShown && `, the first ${kShown} shown`}{model.cut && `; only the first ${count(kOperatorsMax)} of the model are read`}</p>
    </div>
  );
}

const Lines = ({ of }: { of: string[] }) => <>{of.map((line, i) => <div key={i}><code>{line}</code></div>)}</>;

function counts(operators: Operator[]): [string, number][] {
  const found = new Map<string, number>();
  for (const { type } of operators) found.set(type, (found.get(type) ?? 0) + 1);
  return [...found].sort((a, b) => b[1] - a[1]).slice(0, 20);
}
