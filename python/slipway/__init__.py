"""What MLflow's client lacks, for training code that logs to a Slipway server: logging that never waits, offline runs, and media of a
step: pictures with masks and boxes, sounds, videos, tables, plots, pages, texts. Standard library only.

    import slipway

    with slipway.Run(experiment="digits") as run:
        run.parameter("lr", 0.1)
        for step in range(1000):
            run.log("loss", 1 / (step + 1), step)
        run.image("samples", pixels, step, boxes=[{"x": 3, "y": 4, "width": 10, "height": 8, "label": "seven"}])

`log` puts the point into memory and returns. A thread writes what came to a journal in the run's folder at least every 100 ms, so a
crash (also kill -9) loses at most the last 100 ms; another thread sends from the journal. Without a server (`offline=True`, or
SLIPWAY_OFFLINE=1) the folder stays, and `slipway sync` sends it later, exactly once.
"""
from .media import png
from .run import Run

__all__ = ["Run", "png"]
