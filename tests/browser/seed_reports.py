"""A report with a chart and a table."""

TEXT = """# Rates

A rate of **0.01** is best, whatever the [width](https://example.org/width); see [all runs](/runs).

```chart
experiment: sweep
metrics: val_loss
group: all but seed
smooth: 0.6
```

The best five:

```runs
experiment: sweep
order: metrics.val_loss
columns: params.lr, params.width, metrics.val_loss
limit: 5
```

- [x] three seeds each
- [ ] wider ones

| rate | steps |
|---|--:|
| 0.01 | 300 |
"""


def reports(server):
    """Answers the report's id; it has two revisions."""
    made = server.call("POST", "/api/v1/reports", {"title": "Learning rates", "text": "To be written."})
    server.call("PATCH", f"/api/v1/reports/{made['id']}", {"revision": 1, "text": TEXT})
    return {"report": made["id"]}
