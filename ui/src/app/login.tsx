// Who are you? Only asked where the server listens for more than its own machine.
import { useState } from "react";
import { ApiError, send } from "../api/client";
import { Field, Problem } from "../parts/basics";
import { page_css as page, usePage } from "./page";
import { prefixed, server_url } from "./prefix";
import { usePlace } from "./router";

export default function Login() {
  const { search } = usePlace();
  const [name, set_name] = useState("");
  const [password, set_password] = useState("");
  const [error, set_error] = useState<ApiError | null>(null);
  usePage([{ name: "Sign in" }], [{ what: "Sign in", cli: `slipway login --server ${server_url()}` }]);
  const submit = async () => {
    try {
      await send("POST", "/api/v1/login", { name, password });
      const next = search.get("next") ?? "/";
      location.href = next.startsWith("/") && !next.startsWith("//") ? next : prefixed("/");
    } catch (problem) {
      set_error(problem as ApiError);
    }
  };
  return (
    <div className={page.scroll}>
      <form style={{ maxWidth: 340, margin: "48px auto" }} className="stack" onSubmit={(event) => { event.preventDefault(); void submit(); }}>
        <h1>Sign in</h1>
        <Field name="Name"><input value={name} autoComplete="username" onChange={(event) => set_name(event.target.value)} required /></Field>
        <Field name="Password or token"><input type="password" value={password} autoComplete="current-password" onChange={(event) => set_password(event.target.value)} required /></Field>
        {error && <Problem error={error} />}
        <div><button type="submit" className="primary">Sign in</button></div>
      </form>
    </div>
  );
}
