"""What all customers of one seed share: cities, cells, plans and how much each of them drives customers away."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

CITIES, CELLS, REGIONS, PLANS, DEVICES = 300, 1_500, 8, 24, 12
CHANNELS = ("advert", "dealer", "friend", "home visit", "online", "phone", "shop")
_WORLD_STREAM = 0
_CHUNK_STREAM = 1
_SHARD_STREAM = 2


@dataclass(frozen=True)
class World:
    """The world of one seed; effects are added to the logarithm of the monthly hazard.

    Attributes:
        cell_city: city of each cell, int [CELLS].
        cell_share: cumulative share of customers by cell, float [CELLS].
        cell_effect, city_effect, plan_effect, device_effect, channel_effect: float, one each.
        cell_outages: expected outages a quarter, float [CELLS].
        city_group_b: share of population group B by city, float [CITIES]; makes the city a proxy of the group.
    """

    cell_city: NDArray[np.int64]
    cell_share: NDArray[np.float64]
    cell_effect: NDArray[np.float64]
    cell_outages: NDArray[np.float64]
    city_effect: NDArray[np.float64]
    city_group_b: NDArray[np.float64]
    plan_effect: NDArray[np.float64]
    device_effect: NDArray[np.float64]
    channel_effect: NDArray[np.float64]


def make_world(seed: int) -> World:
    """Draw the world of a seed."""
    random = np.random.default_rng([seed, _WORLD_STREAM])
    cell_city = np.concatenate([np.arange(CITIES), random.integers(0, CITIES, CELLS - CITIES)])
    size = 1.0 / (np.arange(CITIES) + 8.0)  # Zipf, with a flattened head
    share = size[cell_city] * random.gamma(2.0, 0.5, CELLS)
    outages = random.gamma(1.2, 0.6, CELLS)
    return World(
        cell_city=cell_city,
        cell_share=np.cumsum(share / share.sum()),
        cell_effect=random.normal(0.0, 0.25, CELLS),
        cell_outages=outages,
        city_effect=random.normal(0.0, 0.35, CITIES),
        city_group_b=random.beta(0.7, 2.3, CITIES),
        plan_effect=random.normal(0.0, 0.3, PLANS),
        device_effect=random.normal(0.0, 0.2, DEVICES),
        channel_effect=random.normal(0.0, 0.15, len(CHANNELS)),
    )


def chunk_random(seed: int, chunk: int) -> np.random.Generator:
    """Return the generator of one chunk: independent of every other, so that chunks may be made in any order."""
    return np.random.default_rng([seed, _CHUNK_STREAM, chunk])


def named(prefix: str, digits: int, codes: NDArray[Any], count: int) -> NDArray[Any]:
    """Return names such as `city-007` for codes, object (str) [N]."""
    names = np.array([f"{prefix}-{i:0{digits}d}" for i in range(count)], object)
    return np.asarray(names[codes], object)


def shard_random(seed: int, shard: int) -> np.random.Generator:
    """Return the generator of one shard of a world of events, independent of every other."""
    return np.random.default_rng([seed, _SHARD_STREAM, shard])
