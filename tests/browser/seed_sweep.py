"""A sweep as people compare it: learning rates, widths and seeds, each run with a few metrics. And a run whose two extremes lie among many
points."""
import math
import random

STEPS = 300
SPIKES = {12_345: 50.0, 12_347: -50.0}
SPIKY_STEPS = 20_000


def sweep(server, mlflow):
    """`mlflow(server, path, body)` calls MLflow's protocol. Answers the experiment and its runs."""
    experiment = mlflow(server, "experiments/create", {"name": "sweep"})["experiment_id"]
    settings = [(rate, width, seed) for rate in (0.001, 0.01, 0.1) for width in (16, 32) for seed in (1, 2, 3)]
    runs = [one_run(server, mlflow, experiment, number, *setting) for number, setting in enumerate(settings)]
    return {"sweep": experiment, "sweep_runs": runs}


def one_run(server, mlflow, experiment, number, rate, width, seed):
    start = 1_700_000_000_000 + number * 1000
    run = mlflow(server, "runs/create", {"experiment_id": experiment, "run_name": f"w{width}-lr{rate}-{seed}", "start_time": start})["run"]["info"]["run_id"]
    mlflow(server, "runs/log-batch", {"run_id": run, "params": [{"key": key, "value": str(value)} for key, value in
                                                                  {"lr": rate, "width": width, "seed": seed, "batch": 8}.items()]})
    chance = random.Random(number)
    floor = abs(math.log10(rate) + 2) * 0.3 + 2 / width
    points = []
    for step in range(STEPS):
        train = 2 * math.exp(-step / 60) + floor + chance.gauss(0, 0.03)
        values = {"train_loss": 90 if step == 150 else train, "val_loss": train + 0.2, "epoch": step / 30}
        points += [{"key": key, "value": value, "timestamp": start + step * 500, "step": step} for key, value in values.items()]
    mlflow(server, "runs/log-batch", {"run_id": run, "metrics": points})
    mlflow(server, "runs/update", {"run_id": run, "status": "FINISHED", "end_time": start + STEPS * 500})
    return run


def spiky_run(server, mlflow):
    experiment = mlflow(server, "experiments/create", {"name": "spikes"})["experiment_id"]
    run = mlflow(server, "runs/create", {"experiment_id": experiment, "run_name": "spiky", "start_time": 1_700_000_000_000})["run"]["info"]["run_id"]
    for first in range(0, SPIKY_STEPS, 1000):
        mlflow(server, "runs/log-batch", {"run_id": run, "metrics": [
            {"key": "level", "value": SPIKES.get(step, math.sin(step / 300)), "timestamp": 1_700_000_000_000 + step * 10, "step": step}
            for step in range(first, first + 1000)]})
    mlflow(server, "runs/update", {"run_id": run, "status": "FINISHED", "end_time": 1_700_000_200_000})
    return {"spiky_run": run}
