import { blob, part } from "../api/client";
import { useGet, useSend } from "../api/hooks";
import type { Case, Version } from "../api/types";
import { useKeys } from "../app/keys";
import { curl, python, usePage } from "../app/page";
import { navigate } from "../app/router";
import { Loaded, notify, notify_error, State } from "../parts/basics";
import { Columns, Head, ScrollPage, Section } from "../parts/detail";
import { bytes } from "../parts/format";
import { Picture } from "../parts/images";
import { CaseFacts, LabelButtons, type Change } from "./cases";
import { keys_of_labels } from "./labels";

export default function CasePage({ id = "" }: Record<string, string>) {
  const api = `/api/v1/cases/${id}`;
  const one = useGet<Case>(["cases", id], api);
  usePage([{ name: "Cases", to: "/cases" }, { name: id.slice(0, 12) }], [
    { what: "Show this case", curl: curl(api), python: python(api) },
    { what: "Label it", cli: `slipway cases label ${id} 3`, curl: curl(api, { method: "PATCH", json: { label: "3", state: "labelled" } }) },
  ]);
  useKeys([{ keys: "Escape", what: "Back to the cases", run: () => navigate("/cases"), group: "This page" }]);
  return <ScrollPage><Loaded of={one} page>{(data) => <Body one={data} />}</Loaded></ScrollPage>;
}

function Body({ one }: { one: Case }) {
  const version = useGet<Version>(["models", one.model, "version", String(one.version)], `/api/v1/models/${part(one.model)}/versions/${one.version}`, { stale_ms: 60_000 });
  const labels = version.data?.labels ?? null;
  const keyed = keys_of_labels(labels);
  const change = useSend<Case, Change>(["cases"], (to) => ["PATCH", `/api/v1/cases/${one.id}`, to]);
  const label = (text: string | null) => change.mutate(text === null ? { state: "dismissed" } : { label: text, state: "labelled" }, {
    onSuccess: () => notify(text === null ? "Dismissed." : `Labelled ${text}.`, { undo: () => change.mutate(text === null ? { state: one.state } : { label: one.label, state: one.state }) }), onError: notify_error,
  });
  useKeys([...keyed.map(({ key, label: text }) => ({ keys: key, what: `Label as ${text}`, run: () => label(text), group: "Labels" })), { keys: "d", what: "Dismiss", run: () => label(null), group: "Labels" }]);
  return (
    <>
      <Head title={`A case of ${one.deployment}`} state={<State of={one.state} />} />
      <Columns>
        <Section title="What was asked"><Picture hash={one.media_type?.startsWith("image/") ? one.input_hash : null} size={280} name="What was asked" />{one.input_hash && <p><a href={blob(one.input_hash)}>The request's bytes</a> <span className="quiet">{one.media_type}, {bytes(one.input_bytes)}</span></p>}</Section>
        {one.target_hash && <Section title="The right answer"><Picture hash={one.target_hash} size={280} name="The right answer" /><p><a href={blob(one.target_hash)}>Its bytes</a> <span className="quiet">{bytes(one.target_bytes)}</span></p></Section>}
        <Section title="What is known"><CaseFacts one={one} /></Section>
      </Columns>
      <Section title="Label"><LabelButtons labels={labels} keyed={keyed} now={one.label} told={one.feedback?.label ?? null} on_label={label} /></Section>
    </>
  );
}
