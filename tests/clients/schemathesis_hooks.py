"""What schemathesis may not make up: commands, which the server would execute on this machine."""
import schemathesis


@schemathesis.hook
def map_body(context, body):
    if isinstance(body, dict) and isinstance(body.get("command"), str) and body["command"].strip():
        return {**body, "command": "true"}
    return body
