"""A chain counts from 1, names the event before, and never uses a number twice."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb.events.chain import NOTHING, Chain, Link, first, successor

ENVIRONMENT = "0123456789abcdef"


def test_the_first_place_is_1_after_nothing() -> None:
    assert Chain(ENVIRONMENT).next == Link(ENVIRONMENT, 1, "0" * 64)
    assert len(NOTHING) == 64


def test_a_place_names_the_sha256_of_the_event_before() -> None:
    link = first(ENVIRONMENT).after(b"one")
    assert link == Link(ENVIRONMENT, 2, sha256(b"one").hexdigest())
    assert link.after(b"two") == Link(ENVIRONMENT, 3, sha256(b"two").hexdigest())


def test_a_chain_stands_still_until_it_is_told() -> None:
    chain = Chain(ENVIRONMENT)
    ahead = chain.next.after(b"one")
    assert chain.next.sequence == 1
    chain.advance(ahead)
    assert chain.next is ahead


def test_a_chain_that_is_left_goes_on_as_another_that_can_be_told_from_it() -> None:
    chain = Chain(ENVIRONMENT)
    chain.advance(chain.next.after(b"one"))
    chain.leave()
    assert chain.next == first(successor(ENVIRONMENT))
    chain.leave()
    assert chain.next == first(successor(successor(ENVIRONMENT)))


@given(st.binary(min_size=8, max_size=8).map(bytes.hex))
def test_a_successor_is_an_id_and_another_one(environment: str) -> None:
    assert first(successor(environment)).environment not in {environment, successor(successor(environment))}


@pytest.mark.parametrize("text", ["", "0123456789ABCDEF", "0123456789abcde", "0123456789abcdef0", "0123456789abcdeg"])
def test_what_is_no_environment_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^an environment's id is 16 hex digits: .* is none$"):
        Chain(text)


@given(st.lists(st.binary(), min_size=2, max_size=6, unique=True))
def test_chains_of_the_same_events_in_another_order_end_differently(events: list[bytes]) -> None:
    def end(order: list[bytes]) -> Link:
        link = first(ENVIRONMENT)
        for event in order:
            link = link.after(link.previous.encode() + event)
        return link

    assert end(events) != end(events[::-1])
    assert end(events).sequence == len(events) + 1
