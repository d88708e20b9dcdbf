// One trace: its spans as a tree on a time line, and the chosen span with all it carries.
import { useMemo, useState } from "react";
import { part } from "../api/client";
import { useGet } from "../api/hooks";
import type { Span, Trace } from "../api/types";
import { useKeys } from "../app/keys";
import { curl, python, usePage } from "../app/page";
import { server_url } from "../app/prefix";
import { back_or, Link, useParam } from "../app/router";
import { Ago, Empty, Facts, Loaded, State } from "../parts/basics";
import { Columns, Head, ScrollPage, Section } from "../parts/detail";
import { count, counted, milliseconds } from "../parts/format";
import { Assessments } from "./assessments";
import { state_of } from "./traces";
import { ExperimentLink } from "./experiment_link";
import { tokens_of, type Tokens } from "./tokens";
import { length_us, micros, readable, rows_of, type SpanRow } from "./tree";
import css from "./traces.module.css";

const kInputs = "mlflow.spanInputs", kOutputs = "mlflow.spanOutputs";
/// Attributes that are shown elsewhere on the page, or that mean nothing to a reader.
const kOwn = new Set([kInputs, kOutputs, "mlflow.spanType", "mlflow.traceRequestId"]);
const kOwnTags = new Set(["mlflow.traceName", "mlflow.artifactLocation", "mlflow.trace.spansLocation"]);

export default function TracePage({ id = "" }: Record<string, string>) {
  const api = `/api/v1/traces/${part(id)}`;
  const trace = useGet<Trace>(["traces", id], api);
  usePage([{ name: "Traces", to: "/traces" }, { name: trace.data?.name || id.slice(0, 16) }], [
    { what: "Show this trace", curl: curl(api), python: python(api) },
    { what: "Read it with mlflow", cli: `MLFLOW_TRACKING_URI=${server_url()} python -c "import mlflow; print(mlflow.get_trace('${id}').to_json(pretty=True))"` },
    { what: "Say what you think of it", curl: curl(`${api}/assessments`, { method: "POST", json: { name: "quality", value: true, rationale: "it helped" } }) },
  ]);
  useKeys([{ keys: "Escape", what: "Back to the traces", run: () => back_or("/traces"), group: "This page" }]);
  return <ScrollPage><Loaded of={trace} page>{(data) => <Body trace={data} />}</Loaded></ScrollPage>;
}

function Body({ trace }: { trace: Trace }) {
  const spans = trace.spans ?? [];
  const [at, set_at] = useParam("span");
  const chosen = spans.find(({ id }) => id === at) ?? spans[0];
  const run = trace.metadata["mlflow.sourceRun"];
  const tokens = tokens_of(trace);
  return (
    <>
      <Head title={trace.name || trace.id} state={<State of={state_of(trace)} />} />
      <Facts columns of={[
        ["Started", <Ago at={trace.started_at} />],
        ["Took", trace.duration_ms === null ? "goes on" : <span className="num">{milliseconds(trace.duration_ms)}</span>],
        ["Spans", <span className="num">{counted(spans.length, "span")}</span>],
        ["Experiment", <ExperimentLink id={trace.experiment} />],
        ["Run", run ? <Link to={`/runs/${part(run)}`}>{run.slice(-8)}</Link> : null],
        ["Session", trace.metadata["mlflow.trace.session"] ?? null],
        ["User", trace.metadata["mlflow.trace.user"] ?? null],
        ["Tokens", tokens && <TokenCounts of={tokens} />],
      ]} />
      <Section title="Time line">
        {spans.length === 0 ? <Empty>No span of this trace has come yet.</Empty> : <TimeLine spans={spans} chosen={chosen?.id ?? ""} choose={(id) => set_at(id)} />}
      </Section>
      {chosen && <SpanView span={chosen} />}
      <Columns>
        <Section title="Assessments"><Assessments trace={trace.id} all={trace.assessments} /></Section>
        <Section title="Tags"><Facts of={Object.entries(trace.tags).filter(([key]) => !kOwnTags.has(key))} /></Section>
      </Columns>
    </>
  );
}

function TokenCounts({ of: { input, output, total } }: { of: Tokens }) {
  const parts = [input === null ? "" : `${count(input)} in`, output === null ? "" : `${count(output)} out`].filter(Boolean);
  return <span className="num">{total === null ? parts.join(", ") : `${count(total)}${parts.length > 0 ? ` (${parts.join(", ")})` : ""}`}</span>;
}

function TimeLine({ spans, chosen, choose }: { spans: Span[]; chosen: string; choose: (id: string) => void }) {
  const [folded, set_folded] = useState<ReadonlySet<string>>(new Set());
  const rows = useMemo(() => rows_of(spans, folded), [spans, folded]);
  const at = rows.findIndex(({ span }) => span.id === chosen);
  const fold = (id: string, away: boolean) => set_folded(new Set(away ? [...folded, id] : [...folded].filter((one) => one !== id)));
  const go = (step: number) => { const next = rows[Math.max(0, Math.min(rows.length - 1, at + step))]; if (next) choose(next.span.id); };
  return (
    <div
      className={css.line} role="tree" aria-label="Spans" tabIndex={0} aria-activedescendant={at < 0 ? undefined : `span-${chosen}`}
      onKeyDown={(event) => {
        const act = { ArrowDown: () => go(1), ArrowUp: () => go(-1), ArrowLeft: () => fold(chosen, true), ArrowRight: () => fold(chosen, false) }[event.key];
        if (act) { event.preventDefault(); act(); }
      }}
    >
      <div className={css.scale} aria-hidden="true"><span>0</span><span className="num">{micros(length_us(spans))}</span></div>
      {rows.map((row) => <SpanLine key={row.span.id} row={row} chosen={row.span.id === chosen} folded={folded.has(row.span.id)} choose={choose} fold={fold} />)}
    </div>
  );
}

function SpanLine({ row: { span, depth, below, from, to }, chosen, folded, choose, fold }: { row: SpanRow; chosen: boolean; folded: boolean; choose: (id: string) => void; fold: (id: string, away: boolean) => void }) {
  const bad = span.status === "error";
  return (
    <div
      id={`span-${span.id}`} role="treeitem" aria-level={depth + 1} aria-selected={chosen} aria-expanded={below > 0 ? !folded : undefined}
      className={`${css.row} ${chosen ? css.chosen : ""}`} onClick={() => choose(span.id)}
    >
      <div className={css.name} style={{ paddingLeft: Math.min(depth, 20) * 14 }}>
        {below > 0 ? <button type="button" className="plain small" tabIndex={-1} aria-label={folded ? `Unfold ${span.name}` : `Fold ${span.name}`} onClick={(event) => { event.stopPropagation(); fold(span.id, !folded); }}>{folded ? "▸" : "▾"}</button> : <span className={css.leaf} />}
        {bad && <span className={css.bad} title={span.status_message || "error"}>▲ </span>}
        <span className={css.title}>{span.name}</span>
        {span.type && <span className={css.type}>{span.type}</span>}
        {folded && <span className="quiet num">+{below}</span>}
      </div>
      <div className={css.track}>
        <div className={`${css.bar} ${bad ? css.bar_bad : ""}`} style={{ left: `${from * 100}%`, width: `${Math.max(0.3, (to - from) * 100)}%` }} />
      </div>
      <div className={`${css.took} num`}>{micros(span.duration_us)}</div>
    </div>
  );
}

function SpanView({ span }: { span: Span }) {
  const rest = Object.entries(span.attributes).filter(([key]) => !kOwn.has(key));
  const block = (title: string, value: unknown) => value !== undefined && value !== null && <Section title={title}><pre className={css.block} tabIndex={0}>{readable(value)}</pre></Section>;
  return (
    <Section title={span.name} note={<span className="quiet">{span.type || "span"}, {micros(span.duration_us)} from {micros(span.offset_us)}{span.status_message ? `, ${span.status_message}` : ""}</span>}>
      <Columns>
        {block("Inputs", span.attributes[kInputs])}
        {block("Outputs", span.attributes[kOutputs])}
      </Columns>
      {rest.length > 0 && <Section title="Attributes"><Facts of={rest.map(([key, value]) => [key, typeof value === "object" && value !== null ? <pre className={css.block} tabIndex={0}>{readable(value)}</pre> : String(value)])} /></Section>}
      {span.events.length > 0 && (
        <Section title="Events">
          <ul className={css.events}>
            {span.events.map((event, i) => (
              <li key={i}><strong>{event.name}</strong> <span className="quiet num">at {micros(event.offset_us)}</span>{Object.keys(event.attributes).length > 0 && <pre className={css.block} tabIndex={0}>{typeof event.attributes["exception.stacktrace"] === "string" ? event.attributes["exception.stacktrace"] : readable(event.attributes)}</pre>}</li>
            ))}
          </ul>
        </Section>
      )}
    </Section>
  );
}
