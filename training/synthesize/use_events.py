"""What customers do in one month: sessions, voice calls, tickets and answered surveys, each with its moment.

Two 64-bit draws make an event: their parts are looked up in tables of quantiles, which costs a tenth of drawing from
each distribution anew.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.special import expit, ndtri

from training.synthesize.customers import Customers
from training.synthesize.event_schema import ACCOUNT_KINDS, AT, EVENTS, KEY, SCHEMAS, USE_KINDS, coded, filled
from training.synthesize.lives import INTENT_USE, Lived
from training.synthesize.seasons import DAY, DRAWS

SESSION, SURVEY, TICKET, VOICE = range(len(USE_KINDS))
DRIFT_USE = -0.15
"""At strength 1 of the drift: the change of the logarithm of use, which is no reason to leave."""
_MILLISECONDS_AN_HOUR = 3_600_000
_SCORES = ndtri((np.arange(DRAWS) + 0.5) / DRAWS)
_SECONDS = np.exp(np.array([[5.3, 0.9], [4.0, 0.4], [6.2, 0.6], [4.9, 0.9]]) @ np.stack([np.ones(DRAWS), _SCORES]))
_SECONDS_TABLE = np.clip(_SECONDS, 1, 86_400).astype(np.int32).ravel()
_MEGABYTES_TABLE = np.exp(2.6 + 1.0 * _SCORES).astype(np.float32)
_LAG_TABLE = np.exp(5.0 + 1.1 * _SCORES).astype(np.int32)
_QUALITY_NOISE = np.round(12.0 * _SCORES).astype(np.int16)
# Shares of app, phone, shop and web by kind; a voice call is a call.
_OVER = np.array([[0.66, 0.0, 0.0, 0.34], [0.5, 0.2, 0.0, 0.3], [0.2, 0.55, 0.1, 0.15], [0.0, 1.0, 0.0, 0.0]])


@dataclass(frozen=True)
class _Draws:
    """The parts of two 64-bit draws an event; each array is [events]."""

    hour: NDArray[np.uint16]
    duration: NDArray[np.uint16]
    inside: NDArray[np.uint32]
    volume: NDArray[np.uint16]
    quality: NDArray[np.uint16]
    gap: NDArray[np.uint16]
    over: NDArray[np.uint8]
    lag: NDArray[np.uint16]


def use_events(random: np.random.Generator, keys: NDArray[np.int64], customers: Customers, lived: Lived) -> pa.Table:
    """Return a month's events of use, in the order of customers and then kinds."""
    counts = _counts(random, customers, lived)
    place = np.repeat(np.arange(counts.size, dtype=np.int32), counts.ravel())
    who, kind = place // len(USE_KINDS), place % len(USE_KINDS)
    draws = _draw(random, len(place))
    session = kind == SESSION
    liked = (70 + 8 * lived.satisfaction).astype(np.int16)
    # The worse the line, the less often its quality comes back with the session.
    unmeasured = (DRAWS * expit(-1.6 - 0.6 * lived.satisfaction)).astype(np.uint16)
    lavish = np.exp(0.5 * _usual(customers)).astype(np.float32)
    quality = np.clip(liked[who] + _QUALITY_NOISE[draws.quality], 0, 100)
    score = np.clip(np.round(6.4 + 1.9 * lived.satisfaction[who] + _SCORES[draws.quality]), 0, 10).astype(np.int8)
    columns = {
        KEY: pa.array(keys[who]),
        AT: pa.array(_moments(lived, who, draws).view("datetime64[us]")),
        "kind": coded("kind", kind + len(ACCOUNT_KINDS)),
        "channel": coded("channel", _OVER_TABLE[kind * 256 + draws.over]),
        "seconds": pa.array(_SECONDS_TABLE[kind * DRAWS + draws.duration]),
        "megabytes": pa.array((_MEGABYTES_TABLE[draws.volume] * lavish[who]).astype(np.int32), mask=~session),
        "quality": pa.array(quality, mask=~session | (draws.gap < unmeasured[who])),
        "lag_ms": pa.array(_LAG_TABLE[draws.lag]),
        "score": pa.array(score, mask=kind != SURVEY),
    }
    return filled(SCHEMAS[EVENTS], len(place), columns)


def _usual(customers: Customers) -> NDArray[np.float64]:
    """Return how much each customer uses of their own accord, as a normal score, [N]."""
    return np.asarray((np.log(np.maximum(customers.columns["usage_gb"], 0.01)) - 3.1) / 0.9)


def _counts(random: np.random.Generator, customers: Customers, lived: Lived) -> NDArray[np.int64]:
    """Draw how often each customer does what, [N, kinds]: less when unhappy, and far less when turning away."""
    mood, share = lived.satisfaction, lived.days / lived.month.days
    fading = np.where(lived.intent, INTENT_USE, 1.0) * share
    calls = (np.log(customers.columns["call_minutes"]) - 4.2) / 0.8
    use = lived.month.use_season * np.exp(DRIFT_USE * lived.drift)
    counts = np.empty((len(mood), len(USE_KINDS)), np.int64)
    counts[:, SESSION] = random.poisson(use * fading * np.exp(2.76 + 0.25 * _usual(customers) + 0.2 * mood))
    counts[:, VOICE] = random.poisson(fading * np.exp(1.75 + 0.4 * calls + 0.1 * mood))
    counts[:, TICKET] = random.poisson(share * np.minimum(0.15 * np.exp(-0.7 * mood), 3.0))
    # Unhappy customers answer surveys less often: the answer is missing where it would have been low.
    counts[:, SURVEY] = random.random(len(mood)) < share * 0.8 * expit(0.8 * mood)
    return counts


def _draw(random: np.random.Generator, events: int) -> _Draws:
    bits = random.integers(0, np.iinfo(np.uint64).max, (events, 2), np.uint64, endpoint=True)
    short, long, byte = bits.view(np.uint16), bits.view(np.uint32), bits.view(np.uint8)
    # The moment inside the hour needs 22 bits of its 32: the lowest 8 are free.
    lag = (byte[:, 15].astype(np.uint16) << 8 | byte[:, 4]).astype(np.uint16)
    return _Draws(short[:, 0], short[:, 1], long[:, 1], short[:, 4], short[:, 5], short[:, 6], byte[:, 14], lag)


def _moments(lived: Lived, who: NDArray[np.int32], draws: _Draws) -> NDArray[np.int64]:
    """Return microseconds since 1970; who is a customer on some days only does everything on those."""
    milliseconds = (draws.inside.astype(np.uint64) * np.uint64(_MILLISECONDS_AN_HOUR)) >> np.uint64(32)
    after = lived.month.hours[draws.hour] + milliseconds.astype(np.int64) * 1_000
    partly = np.flatnonzero((lived.days < lived.month.days)[who])
    day, hour = np.divmod(after[partly], DAY)
    scaled = lived.first_day[who[partly]] + day * lived.days[who[partly]] // lived.month.days
    after[partly] = scaled * DAY + hour
    return np.asarray(lived.month.start + after)


def _over() -> NDArray[np.int16]:
    """Return the channel by kind and 8-bit draw, [kinds * 256]."""
    draws = (np.arange(256) + 0.5) / 256
    reached = np.cumsum(_OVER, axis=1)
    return np.concatenate([np.searchsorted(row, draws).clip(0, _OVER.shape[1] - 1) for row in reached]).astype(np.int16)


_OVER_TABLE = _over()
