"""A run with a log of more lines than a page loads at first, in colours, with progress bars; and some seconds of load."""
import time

LINES = 60_000
NEEDLES = (120, 30_001, 59_990)  # numbers of lines, from 1
COMMAND = f"""python3 - <<'END'
import sys, time
for line in range(1, {LINES + 1}):
    if line in {NEEDLES}:
        print(f"\\033[31mNeed\\033[1mle\\033[0m in line {{line}}")
    elif line % 1000 == 0:
        print("".join(f"epoch {{line // 1000}}: {{part}}%\\r" for part in range(0, 101, 20)))
    else:
        print(f"line {{line}}: loss 0.5, all is well")
sys.stdout.flush()
open("some.bin", "wb").write(b"x" * 5_000_000)
time.sleep(5)
END""".replace("{", "{{").replace("}", "}}")  # as a template has them


def logged_run(server):
    run = server.call("POST", "/api/v1/runs", {"command": COMMAND, "environment": {"interpreter": "/usr/bin/python3"}, "name": "talks-a-lot", "resources": {"cpus": 1}})["id"]
    until = time.monotonic() + 60
    while server.call("GET", f"/api/v1/runs/{run}")["state"] not in ("finished", "failed", "killed"):
        if time.monotonic() > until:
            raise RuntimeError("the run with a long log does not end")
        time.sleep(0.2)
    return {"logged_run": run}
