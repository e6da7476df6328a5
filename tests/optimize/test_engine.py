"""The plan does not depend on where the sweeps run."""

import pandas as pd
import pytest

from pipeline.errors import UsageError
from pipeline.optimize.engine import SHARDS, engine
from pipeline.optimize.night_model import night_model
from pipeline.optimize.plan import optimize_night
from tests.optimize.world import AS_OF, SETTINGS, tables


def on(model, **run) -> dict[str, pd.DataFrame]:
    settings = SETTINGS.model_copy(update={"run": SETTINGS.run.model_copy(update=run)})
    return optimize_night(model, settings)


@pytest.fixture(scope="module")
def model():
    return night_model(tables(items=40, storage=60.0), AS_OF, SETTINGS)


def test_two_threads_give_the_same_tables_as_one(model):
    one, two = on(model, threads=1), on(model, threads=2)
    for name, frame in one.items():
        pd.testing.assert_frame_equal(frame, two[name], check_exact=True)


def test_dask_gives_the_same_tables_as_threads(model):
    distributed = pytest.importorskip("distributed")
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, processes=False
    )
    with cluster:
        spread = on(model, engine="dask", scheduler=cluster.scheduler_address)
    for name, frame in on(model).items():
        pd.testing.assert_frame_equal(frame, spread[name], check_exact=True)


def test_a_night_is_cut_into_several_shards_however_it_runs(model):
    with engine(SETTINGS, model.packed.tables) as (parts, _):
        assert len(parts) == SHARDS > 1
        assert sum(map(len, parts)) == len(model.packed.tables)


def test_dask_without_a_scheduler_says_what_to_do(model):
    with pytest.raises(UsageError, match=r"run\.scheduler"):
        on(model, engine="dask")
