"""DuckDB within bounds: it tells how far it is, ends with Ctrl-C, spills into its folder and says why it fails."""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ebb.errors import DataError
from training.events.engine import Engine, open_engine

_ENDLESS = "SELECT COUNT(*) FROM range(1000000) AS a(x), range(1000000) AS b(y) WHERE (a.x * b.y) % 7 = 3"
_LARGE = "SELECT COUNT(*) FROM (SELECT i % 9999991 AS k, list(i) AS l FROM range(20000000) AS t(i) GROUP BY k)"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with open_engine(tmp_path / "spill") as opened:
        yield opened


def test_every_query_is_a_hundred_hundredths(engine: Engine) -> None:
    seen: list[int] = []
    slow = "SELECT SUM(x) FROM (SELECT DISTINCT hash(i) % 3000000 AS x FROM range(6000000) AS t(i))"
    engine.run(slow, "slow", seen.append)
    assert sum(seen) == 100
    assert min(seen) > 0 or len(seen) == 1
    engine.run("SELECT 1", "quick", seen.append)
    assert sum(seen) == 200


def test_ctrl_c_ends_the_query_and_leaves_the_engine_usable(engine: Engine) -> None:
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        engine.run(_ENDLESS, "endless")
    timer.join()
    assert engine.run("SELECT 42", "after") == [(42,)]


def test_too_little_memory_and_disk_is_a_sentence(tmp_path: Path) -> None:
    spill = tmp_path / "spill"
    with open_engine(spill, memory="40MB") as engine:
        engine.run("SET max_temp_directory_size = '1MB'", "limit")
        with pytest.raises(DataError, match="large: it needs more than 40MB of memory"):
            engine.run(_LARGE, "large")
    assert not spill.exists()


@pytest.mark.parametrize(
    ("sql", "hidden"),
    [
        ("SELECT CAST(x AS BIGINT) FROM (SELECT 'Personal-4711' AS x)", "4711"),
        ("SELECT CAST(x AS TINYINT) FROM (SELECT 4711 AS x)", "4711"),
        ("SELECT CAST(x AS TIMESTAMP) FROM (SELECT '1947-11-04 Personal' AS x)", "1947"),
    ],
)
def test_a_value_never_stands_in_an_error(engine: Engine, sql: str, hidden: str) -> None:
    with pytest.raises(DataError, match=r"^mine: Conversion Error: ") as caught:
        engine.run(sql, "mine")
    assert hidden not in str(caught.value)


def test_a_mistake_in_sql_is_named(engine: Engine) -> None:
    with pytest.raises(DataError, match='mine: Binder Error: Referenced column "nothing"'):
        engine.run("SELECT nothing FROM (SELECT 1 AS x)", "mine")


def test_nothing_is_fetched_and_times_are_utc(engine: Engine) -> None:
    assert engine.run("SELECT current_setting('autoinstall_known_extensions')", "a") == [(False,)]
    assert engine.run("SELECT current_setting('TimeZone'), current_setting('threads')", "a") == [("UTC", 2)]
