"""What cannot run is refused before the job, with the remedy."""

from types import SimpleNamespace
from typing import Any

import pytest

from bigdl.errors import DistributedError
from bigdl.spark.cluster import Cluster


class Conf(dict[str, str]):
    """The settings of a session."""


def cluster(slots: int = 4, **settings: str) -> Cluster:
    """A classic session with so many task slots, and settings whose dots are underscores."""
    conf = {"spark.master": "yarn", **{name.replace("_", "."): value for name, value in settings.items()}}
    scala = SimpleNamespace(
        resourceProfileManager=lambda: SimpleNamespace(defaultResourceProfile=lambda: None),
        maxNumConcurrentTasks=lambda profile: slots,
    )
    system = SimpleNamespace(getProperty=lambda name: "7" if name == "bigdl.of.java" else None)
    context = SimpleNamespace(
        getConf=lambda: conf,
        _jsc=SimpleNamespace(sc=lambda: scala),
        _jvm=SimpleNamespace(java=SimpleNamespace(lang=SimpleNamespace(System=system))),
    )
    session: Any = SimpleNamespace(sparkContext=context, conf=SimpleNamespace(get=conf.get))
    return Cluster(session)


def test_as_many_workers_as_there_are_slots_and_rows():
    assert cluster(4).workers(None, 128) == 4
    assert cluster(4).workers(None, 20) == 2
    assert cluster(4).workers(None, 1) == 1
    assert cluster(4).workers(3, 1) == 3


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"spark_dynamicAllocation_enabled": "true"}, r"SPARK-24942.*dynamicAllocation\.enabled=false"),
        ({"spark_network_crypto_enabled": "true"}, r"network\.crypto\.enabled=true.*ignoreEncryption=true"),
        ({"spark_ssl_enabled": "true"}, r"spark\.ssl\.enabled=true"),
    ],
)
def test_settings_that_forbid_it(settings, message):
    with pytest.raises(DistributedError, match=message):
        cluster(**settings).workers(2, 128)


def test_what_does_no_harm():
    assert cluster(spark_network_crypto_enabled="true", spark_bigdl_ignoreEncryption="true").workers(2, 128) == 2
    assert cluster(spark_dynamicAllocation_enabled="true", spark_master="local[4]").workers(2, 128) == 2


def test_too_few_slots(monkeypatch):
    monkeypatch.setattr("bigdl.spark.cluster._SECONDS_FOR_EXECUTORS", 0.3)
    with pytest.raises(DistributedError, match=r"5 workers need 5 task slots at the same time.* has 4 .*workers=4"):
        cluster(4).workers(5, 128)
    for wrong in (0, -1, 1.5, True):
        with pytest.raises(DistributedError, match="positive whole number"):
            cluster(4).workers(wrong, 128)  # type: ignore[arg-type]


def test_settings_of_bigdl():
    assert cluster().setting("bigdl.failure.retryTimes", 5) == 5
    assert cluster(spark_bigdl_failure_retryTimes="3").setting("bigdl.failure.retryTimes", 5) == 3
    assert cluster(bigdl_failure_retryTimes="2").setting("bigdl.failure.retryTimes", 5) == 2
    assert cluster().setting("bigdl.of.java", 5) == 7
    with pytest.raises(DistributedError, match=r"spark\.bigdl\.x must be a number. Received: 'many'"):
        cluster(spark_bigdl_x="many").setting("bigdl.x", 1)
