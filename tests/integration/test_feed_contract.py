"""One contract suite for the change feed: Postgres keeps every promise that the one in memory keeps."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

import pytest

from ebb.errors import Unavailable
from ebb.ports import Access, ChangeFeed, FeatureRecord, FeatureUpdate, FeedPage, Place, RecordedChanges
from ebb.postgres.changes import PostgresChanges
from ebb.postgres.features import PostgresFeatures
from ebb.postgres.feed import CHANGES, PostgresFeed
from ebb.postgres.refusal import NO_TABLE, Refused
from ebb.postgres.subjects import PostgresSubjects
from local.servers.postgres import Postgres
from tests.fakes.durable import MemoryDurable
from tests.fakes.feed import MemoryFeed
from tests.integration.databases import Database

ACCESS = Access(1.5e9, "tester", "erase", "call-1")
START: Place = (0, 0)


class Case(Protocol):
    """A feed of its own, and writers of the tier that it belongs to."""

    feed: ChangeFeed
    changes: RecordedChanges

    def write(self, *who: str) -> None:
        """Commit one write."""

    def erase(self, who: str) -> None:
        """Commit an erasure."""

    def open(self, who: str) -> AbstractContextManager[None]:
        """Write in a transaction that ends with the block."""

    def close(self) -> None:
        """Give everything back."""


class _Memory:
    def __init__(self) -> None:
        self._made = MemoryFeed()
        self.feed: ChangeFeed = self._made
        self.changes: RecordedChanges = self._made
        self._durable = MemoryDurable(changed=self._made.changed)

    def write(self, *who: str) -> None:
        self._durable.merge([FeatureUpdate(each, {"x": 1.0}, 1e9) for each in who])

    def erase(self, who: str) -> None:
        self._durable.erase(who, ACCESS)

    @contextmanager
    def open(self, who: str) -> Iterator[None]:
        transaction = self._made.begin()
        yield
        self._made.end(transaction, {who: FeatureRecord({"x": 1.0}, {"x": 1e9}, 1, "ab" * 16)})

    def close(self) -> None:
        pass


class _Postgres:
    def __init__(self, database: Database) -> None:
        self._connections = [database.connect() for _ in range(4)]
        reader, owner, writer, self._other = self._connections
        self.feed: ChangeFeed = PostgresFeed(reader)
        self.changes: RecordedChanges = PostgresChanges(owner)
        self._features, self._subjects = PostgresFeatures(writer), PostgresSubjects(writer)
        self._late = PostgresFeatures(self._other)
        self._late.merge([FeatureUpdate("known", {"x": 1.0}, 1e9)])  # its month is there

    def write(self, *who: str) -> None:
        self._features.merge([FeatureUpdate(each, {"x": 1.0}, 1e9) for each in who])

    def erase(self, who: str) -> None:
        self._subjects.erase(who, ACCESS)

    @contextmanager
    def open(self, who: str) -> Iterator[None]:
        with self._other.transaction():
            self._late.merge([FeatureUpdate(who, {"x": 1.0}, 1e9)])
            yield

    def close(self) -> None:
        for connection in self._connections:
            connection.close()


@pytest.fixture(params=["memory", "postgres"])
def case(request: pytest.FixtureRequest) -> Iterator[Case]:
    if request.param == "memory":
        made: Case = _Memory()
    else:
        made = _Postgres(Database.fresh(request.getfixturevalue("postgres_server")))
    assert made.changes.record(followed=True)
    yield made
    made.close()


def _all(feed: ChangeFeed, after: Place = START) -> tuple[set[str], FeedPage]:
    """Read to the end; return who changed, and the last page."""
    seen: set[str] = set()
    while True:
        page = feed.look(after)
        seen |= set(page.records)
        if page.last is None:
            return seen, page
        assert page.last > after
        after = page.last


def test_what_changed_is_there_with_its_record(case: Case) -> None:
    case.write("a", "b")
    case.write("c")
    case.erase("a")
    seen, page = _all(case.feed)
    assert seen == {"a", "b", "c"}
    assert page.age is not None
    assert 0 <= page.age < 60
    records = case.feed.look(START).records
    assert records["a"].is_tombstone, "the record is the newest, whatever the change was"


def test_nothing_is_recorded_where_nobody_follows(case: Case) -> None:
    assert not case.changes.record(followed=True)
    generation = case.feed.look(START).generation
    case.write("a")
    assert case.changes.record(followed=False)
    case.write("b")
    page = case.feed.look(START)
    assert (page.generation, page.last, page.age) == ("", None, None)
    assert case.changes.record(followed=True)
    case.write("c")
    assert _all(case.feed)[0] == {"c"}
    assert case.feed.look(START).generation not in {"", generation}


def test_what_is_under_way_holds_the_horizon_back_and_not_what_others_changed(case: Case) -> None:
    with case.open("late"):
        case.write("a")
        seen, page = _all(case.feed)
        assert seen == {"a"}
        held = page.horizon
        place = case.feed.look(START).last
        assert place is not None
        assert held < place[0], "what has committed lies above"
        assert case.feed.since(0.0) <= held
    seen, page = _all(case.feed, (held, 0))
    assert seen == {"a", "late"}
    assert page.horizon > place[0]


def test_a_first_position_lies_before_all_that_is_recent(case: Case) -> None:
    assert case.feed.since(300.0) == case.feed.look(START).horizon
    case.write("a")
    start = case.feed.since(300.0)
    place = case.feed.look(START).last
    assert place is not None
    assert start <= place[0] < case.feed.since(-1.0)
    assert _all(case.feed, (start, 0))[0] == {"a"}


def test_a_sign_of_life_changes_nobody(case: Case) -> None:
    case.changes.beat()
    page = case.feed.look(START)
    assert page.records == {}
    assert page.last is not None
    assert page.age is not None


def test_what_is_old_is_forgotten_and_that_is_known(case: Case) -> None:
    case.write("a")
    case.changes.beat()
    assert case.changes.prune(60.0) == 0
    assert case.feed.look(START).pruned == 0
    place = case.feed.look(START).last
    assert place is not None
    while case.changes.prune(-1.0):
        pass
    page = case.feed.look(START)
    assert (page.last, page.records) == (None, {})
    assert page.pruned > place[0]
    assert page.pruned <= page.horizon


def test_many_changes_come_in_pages(case: Case) -> None:
    who = {f"e-{number}" for number in range(20)}
    for each in who:
        case.write(each)
    assert _all(case.feed)[0] == who


def test_pages_are_bounded_but_a_change_is_whole(postgres_server: Postgres) -> None:
    database = Database.fresh(postgres_server)
    connection = database.connect()
    feed = PostgresFeed(connection)
    PostgresChanges(connection).record(followed=True)
    insert = "insert into repairs (entity_ids) select array(select n::text from generate_series(1, {}) as n)"
    for entities in (1_500, 600, 5_000, 10):
        connection.query(insert.format(entities))
    connection.query("insert into repairs (entity_ids) select array[n::text] from generate_series(1, 1200) as n")
    pages = [START]
    while (last := feed.look(pages[-1]).last) is not None:
        pages.append(last)
    # 1,500 leave room to begin the next; 5,000 is more than a page and comes alone; then 1,201 in two.
    numbers = [place[1] for place in pages[1:]]
    assert numbers == [2, 3, 3 + CHANGES, 4 + 1_200]
    connection.close()


def test_a_schema_without_a_feed_is_told(postgres_server: Postgres) -> None:
    connection = Database.fresh(postgres_server, "0003").connect()
    for ask in (lambda: PostgresFeed(connection).look(START), lambda: PostgresFeed(connection).since(1.0)):
        with pytest.raises(Refused) as refused:
            ask()
        assert refused.value.code == NO_TABLE
    with pytest.raises(Unavailable):
        PostgresChanges(connection).record(followed=True)
    connection.close()


def test_a_write_that_is_under_way_when_recording_begins_is_waited_for(postgres_server: Postgres) -> None:
    """Otherwise it would be in no feed, and a follower that begins behind it would never learn of it."""
    database = Database.fresh(postgres_server)
    first, second = database.connect(), database.connect(lock_timeout=0.2)
    with first.transaction() as held:
        held.run("insert into repairs (entity_ids) values ('{a}')")
        with pytest.raises(Refused, match="lock timeout"):
            PostgresChanges(second).record(followed=True)
    assert PostgresChanges(second).record(followed=True)
    assert second.query("select count(*) from changes") == [[0]]
    for connection in (first, second):
        connection.close()
