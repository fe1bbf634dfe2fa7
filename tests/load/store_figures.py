"""What the feature store costs where no server is involved: a hit of the last-known-good cache."""

import time
from collections.abc import Callable
from statistics import median

from ebb.ports import FeatureUpdate
from tests.fakes.stores import MemoryStore
from tests.load.figures import Figure

ROUNDS, READS = 7, 5_000


def cache_figures() -> list[Figure]:
    """Measure a hit of the cache, as a prediction meets it with both servers away."""
    world = MemoryStore()
    names = [f"feature_{number:02d}" for number in range(20)]
    ids = [f"c-{number:06d}" for number in range(1_000)]
    world.store.write([FeatureUpdate(who, dict.fromkeys(names, 1.5), 1.0) for who in ids])
    cache = world.store._cache
    for who in ids:
        world.store.read(who, "me", {})
    hit = _microseconds(lambda number: cache.get(ids[number % 1_000]))
    world.fast.away = world.durable.away = True
    for _ in range(30):
        world.store.read("nobody", "me", {})
    whole = _microseconds(lambda number: world.store.read(ids[number % 1_000], "me", {}))
    assert world.store.read(ids[0], "me", {}).tier == "cache"
    how = f"20 features, 1,000 entities, median of {ROUNDS} rounds"
    return [
        Figure("last-known-good hit, CPU", "us", hit, 10, how),
        Figure("the store's whole read that ends in the cache, CPU", "us", whole, None, f"{how}; tiers are fakes"),
    ]


def _microseconds(work: Callable[[int], object]) -> float:
    rounds = []
    for _ in range(ROUNDS):
        start = time.process_time()
        for number in range(READS):
            work(number)
        rounds.append((time.process_time() - start) / READS * 1e6)
    return median(rounds)
