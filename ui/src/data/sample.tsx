import { part, parts } from "../api/client";
import { useGet } from "../api/hooks";
import type { Commit, Sample } from "../api/types";
import { useKeys } from "../app/keys";
import { curl, python, quoted, usePage } from "../app/page";
import { navigate } from "../app/router";
import { Loaded } from "../parts/basics";
import { Head, ScrollPage } from "../parts/detail";
import { commit_url } from "./links";
import { SampleView } from "./sample_view";
import { short_id } from "../parts/format";

export default function SamplePage({ name = "", ref = "", key_ = "", ...rest }: Record<string, string>) {
  const sample_key = rest["sample"] ?? key_;
  const base = `/api/v1/datasets/${part(name)}/commits/${part(ref)}`;
  const api = `${base}/samples/${parts(sample_key)}`;
  const sample = useGet<Sample>(["datasets", name, "sample", ref, sample_key], api);
  const commit = useGet<Commit>(["datasets", name, "commit", ref], base);
  usePage([{ name: "Data", to: "/datasets" }, { name, to: `/datasets/${part(name)}` }, { name: ref.length >= 26 ? short_id(ref) : ref, to: commit_url(name, ref) }, { name: sample_key }], [
    { what: "Show this sample", cli: `slipway data samples ${quoted(`${name}@${ref}`)} --filter ${quoted(`key = '${sample_key}'`)}`, curl: curl(api), python: python(api) },
  ]);
  useKeys([{ keys: "Escape", what: "Back to the samples", run: () => navigate(commit_url(name, ref)), group: "This page" }]);
  return (
    <ScrollPage>
      <Loaded of={sample} page>{(data) => <><Head title={data.key} /><SampleView sample={data} declaration={commit.data?.declaration ?? null} zoom={12} /></>}</Loaded>
    </ScrollPage>
  );
}
