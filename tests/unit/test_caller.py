"""The commands' calls: what comes in parts is shown whole."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from ebb.client.call import Request
from local.calling.caller import Caller
from local.calling.entrance import Purpose
from local.calling.local_cloud import LocalCloud


class InParts(Caller):
    """A caller that is answered in parts of two, without a network."""

    def __init__(self) -> None:
        super().__init__(LocalCloud("http://127.0.0.1:1"))
        self.asked: list[dict[str, list[str]]] = []

    def _ask(self, purpose: Purpose, request: Request[Any]) -> dict[str, Any]:
        query = parse_qs(urlsplit(request.path).query)
        self.asked.append(query)
        if purpose.program == "operating":
            start = int(query.get("after", ["0"])[0])
            page = [{"version": str(each)} for each in range(start, min(start + 2, 5))]
            return {"releases": page, "next": str(start + 2) if start + 2 < 5 else None, "notes": [f"n{start // 4}"]}
        start = int(query.get("history_from", ["0"])[0])
        rows = list(range(start, min(start + 2, 5)))
        following = start + 2 if start + 2 < 5 else None
        known: dict[str, Any] = {"known_at": {}} if "event_time" in query else {}
        return {"history": rows, "accesses": [len(self.asked)], "history_next": following, **known}


def test_a_long_history_is_gathered_from_its_parts() -> None:
    caller = InParts()
    document = caller.show_subject("a/b é", {"event_time": 5.0})
    assert document == {"history": [0, 1, 2, 3, 4], "accesses": [3], "known_at": {}}
    assert caller.asked == [{"event_time": ["5.0"]}, {"history_from": ["2"]}, {"history_from": ["4"]}]


def test_the_releases_are_gathered_from_their_pages() -> None:
    caller = InParts()
    document = caller.releases()
    assert [each["version"] for each in document["releases"]] == ["0", "1", "2", "3", "4"]
    assert document["notes"] == ["n0", "n1"]
    assert caller.asked == [{}, {"after": ["2"]}, {"after": ["4"]}]
