"""The same tests of the mlflow client, with PostgreSQL behind the server."""
import atexit

import mlflow_genai_test
import mlflow_test
import mlflow_traces_test
from server import Postgres

_cluster = None


def database():
    """An empty database; the cluster starts with the first and stops with us."""
    global _cluster
    if _cluster is None:
        _cluster = Postgres().__enter__()
        atexit.register(_cluster.__exit__)
    return _cluster.database()


def on_postgres(case):
    return type(case.__name__ + "OnPostgres", (case,), {"database": staticmethod(database)})


globals().update({
    name + "OnPostgres": on_postgres(case)
    for module in (mlflow_test, mlflow_traces_test, mlflow_genai_test)
    for name, case in list(vars(module).items())
    if isinstance(case, type) and issubclass(case, mlflow_test.OnServer) and case.__module__ == module.__name__ and case is not mlflow_test.OnServer
})
