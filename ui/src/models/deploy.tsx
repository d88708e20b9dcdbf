// Puts a model behind an endpoint.
import { useState } from "react";
import { useSend } from "../api/hooks";
import type { Deployment, Model } from "../api/types";
import { quoted } from "../app/page";
import { navigate } from "../app/router";
import { Command, Dialog, Field } from "../parts/basics";

/// `wanted`: a version to offer beside the aliases, and first; the latest when it is not said.
export function DeployDialog({ model, wanted, onClose }: { model: Model; wanted?: number; onClose: () => void }) {
  const aliases = Object.keys(model.aliases).map((alias) => `@${alias}`);
  const version = wanted ?? model.latest_version;
  const choices = wanted ? [`/${wanted}`, ...aliases] : [...aliases, ...(version ? [`/${version}`] : [])];
  const [name, set_name] = useState(model.name);
  const [which, set_which] = useState(choices[0] ?? "");
  const [replicas, set_replicas] = useState(1);
  const deploy = useSend<Deployment>(["deployments", "models"], () => ["POST", "/api/v1/deployments", { name, model: `model:${model.name}${which}`, replicas: { min: replicas, max: replicas } }]);
  return (
    <Dialog title={`Deploy ${model.name}`} onClose={onClose}>
      <form className="stack" onSubmit={(event) => { event.preventDefault(); deploy.mutate(undefined, { onSuccess: (made) => { onClose(); navigate(`/deployments/${encodeURIComponent(made.name)}`); } }); }}>
        <Field name="Name of the deployment" hint={`Answers at /v2/models/${name}/infer`}><input value={name} required onChange={(event) => set_name(event.target.value)} /></Field>
        <Field name="Version" hint={which.startsWith("@") ? "Follows the alias: moving it switches this deployment." : "Stays at this version."}>
          <select value={which} onChange={(event) => set_which(event.target.value)}>{choices.map((one) => <option key={one} value={one}>{one.startsWith("@") ? `${one.slice(1)} (version ${model.aliases[one.slice(1)]})` : `version ${one.slice(1)}`}</option>)}</select>
        </Field>
        <Field name="Replicas"><input type="number" min={1} max={64} value={replicas} onChange={(event) => set_replicas(Math.max(1, Number(event.target.value)))} /></Field>
        {deploy.error && <p role="alert">{deploy.error.message}</p>}
        <Command text={`slipway deploy ${quoted(name)} --model ${quoted(`model:${model.name}${which}`)}${replicas > 1 ? ` --replicas ${replicas}` : ""}`} />
        <div><button type="submit" className="primary" disabled={deploy.isPending}>Deploy</button></div>
      </form>
    </Dialog>
  );
}
