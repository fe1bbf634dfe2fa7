"""The commands' calls: what comes in parts is shown whole."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from local import caller


def test_a_long_history_is_gathered_from_its_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, list[str]]] = []

    def answered(_client: str, _scopes: Sequence[str], _method: str, path: str) -> dict[str, Any]:
        query = parse_qs(urlsplit(path).query)
        asked.append(query)
        start = int(query.get("history_from", ["0"])[0])
        rows = list(range(start, min(start + 2, 5)))
        following = start + 2 if start + 2 < 5 else None
        known: dict[str, Any] = {"known_at": {}} if "event_time" in query else {}
        return {"history": rows, "accesses": [len(asked)], "history_next": following, **known}

    monkeypatch.setattr(caller, "_ask", answered)
    document = caller.show_subject("a/b é", {"event_time": 5.0})
    assert document == {"history": [0, 1, 2, 3, 4], "accesses": [3], "known_at": {}}
    assert asked == [{"event_time": ["5.0"]}, {"history_from": ["2"]}, {"history_from": ["4"]}]
