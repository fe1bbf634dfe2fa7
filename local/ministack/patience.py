"""Time for expressions."""

from typing import Any

_MILLISECONDS = 60_000


def give_time(states: Any) -> None:
    """Let an expression take a minute; MiniStack gives it AWS's second, which a busy machine may spend on others.

    Args:
        states: `ministack.services.stepfunctions`.
    """
    engine = states.jsonata.Jsonata
    made = engine.jsonata

    def patient(*expression: Any, **bounds: Any) -> Any:
        return made(*expression, **(bounds | {"timeout": _MILLISECONDS} if "timeout" in bounds else bounds))

    engine.jsonata = staticmethod(patient)
