"""The newest version of the routing table, announced whatever happened before."""

import pytest

from ebb.errors import Unavailable
from ebb.routing.change import promoted
from lambdas.maintain.announcement import Announcement
from tests.fakes.routing import SET, MemoryNews, MemoryRouting, first_table, version


def test_the_newest_version_is_announced_each_time() -> None:
    routing, news = MemoryRouting(), MemoryNews()
    announcement = Announcement(lambda: "tiny", routing, news)
    assert (announcement.make(), news.version) == (0, 0)
    routing.append("tiny", first_table())
    assert (announcement.make(), news.version) == (1, 1)
    news.version = 0  # as after the fast tier came back empty
    routing.append("tiny", promoted(first_table(), version(1), SET))
    assert (announcement.make(), news.version) == (2, 2)


def test_where_nothing_is_served_nothing_is_looked_for() -> None:
    assert Announcement(lambda: "", MemoryRouting(away=True), MemoryNews(away=True)).make() == 0


@pytest.mark.parametrize(("store_away", "news_away"), [(True, False), (False, True)])
def test_what_does_not_answer_is_an_error_that_is_told(store_away: bool, news_away: bool) -> None:
    routing = MemoryRouting([first_table()], away=store_away)
    with pytest.raises(Unavailable):
        Announcement(lambda: "tiny", routing, MemoryNews(away=news_away)).make()
