"""The price list: its tiers, and that each price says where it comes from."""

import datetime as dt
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdk import egress
from cdk.pricing.book import SURE, Price, Tier, read_prices
from cdk.pricing.errors import PricingError
from cdk.pricing.measured import read_measured

PRICES = read_prices()


def test_every_price_is_sourced_and_the_list_is_dated() -> None:
    assert PRICES.region == "us-east-1"
    assert dt.date.fromisoformat(PRICES.date) >= dt.date(2026, 11, 1)
    for price in PRICES.by_name.values():
        assert price.source.startswith("https://aws.amazon.com/"), price.name
        assert price.sure in SURE
        assert all(tier.usd > 0 for tier in price.tiers)
        assert not price.tiers or math.isinf(price.tiers[-1].up_to), f"{price.name}: the last tier has no end"


@pytest.mark.parametrize(
    ("name", "quantity", "usd"),
    [
        ("http_api_request", 300_000_000, 300.0),
        ("http_api_request", 1_300_000_000, 300.0 + 900.0),
        ("lambda_request", 5_000_000, 1.0),
        ("lambda_log", 10_240, 5_120.0),
        ("lambda_log", 61_440, 5_120.0 + 5_120.0 + 2_048.0 + 512.0),
        ("egress", 20_480, 10_240 * 0.09 + 10_240 * 0.085),
        ("lambda_warm_held_arm64", 3_600 * 730, 8.76),
    ],
)
def test_a_quantity_is_priced_tier_by_tier(name: str, quantity: float, usd: float) -> None:
    assert PRICES[name].of(quantity) == pytest.approx(usd, rel=1e-3)


def test_sixty_terabytes_of_log_cost_what_others_found() -> None:
    assert PRICES["lambda_log"].of(60_000) == pytest.approx(12_500, rel=0.03)


@given(st.sampled_from(sorted(PRICES.by_name)), st.floats(0, 1e12), st.floats(0, 1e12))
def test_more_never_costs_less(name: str, first: float, second: float) -> None:
    price = PRICES[name]
    assert price.of(first) <= price.of(first + second) + 1e-9


def test_a_node_that_nobody_priced_is_told_with_what_to_do() -> None:
    with pytest.raises(PricingError, match=r"what cache\.x1\.large costs is not written down: add it"):
        PRICES["cache_node"].of_kind("cache.x1.large", 1)


def test_a_price_of_no_name_is_told() -> None:
    with pytest.raises(PricingError, match="no price 'gold'"):
        PRICES["gold"]
    with pytest.raises(PricingError, match="no figure 'gold'"):
        read_measured()["gold"]


@pytest.mark.parametrize(
    "entry",
    [
        'unit = "x"\nusd = 1\nsure = "list"',
        'unit = "x"\nusd = 1\nsource = "s"\nsure = "guessed"',
        'unit = "x"\nsource = "s"\nsure = "list"',
        'unit = "x"\nsource = "s"\nsure = "list"\ntiers = [{ up_to = 5, usd = 2 }, { up_to = 3, usd = 1 }]',
    ],
)
def test_a_price_without_source_dollars_or_order_is_refused(tmp_path: Path, entry: str) -> None:
    path = tmp_path / "prices.toml"
    path.write_text(f'region = "r"\ndate = "2026-01-01"\n[thing]\n{entry}\n')
    with pytest.raises(PricingError, match="'thing' needs a source"):
        read_prices(path)


def test_a_figure_must_say_how_it_was_had(tmp_path: Path) -> None:
    path = tmp_path / "measured.toml"
    path.write_text('[thing]\nvalue = 1\nunit = "x"\nhow = "measured"\n')
    with pytest.raises(PricingError, match="'thing' must say how"):
        read_measured(path)


def test_tiers_with_one_end_are_flat() -> None:
    flat = Price("p", "u", (Tier(math.inf, 2.0),), {}, "s", "list")
    assert flat.of(21) == 42


def test_the_network_compares_ways_out_by_the_same_prices() -> None:
    found = egress.cheaper_egress(services=1, zones=3, gigabytes=10)
    hours = 730 * 3
    assert found.endpoints_usd == pytest.approx(PRICES["endpoint"].of(hours) + PRICES["endpoint_data"].of(10), abs=0.01)
    assert found.nat_usd == pytest.approx(PRICES["nat"].of(hours) + PRICES["nat_data"].of(10), abs=0.01)
