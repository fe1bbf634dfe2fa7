"""How long logs are kept: CloudWatch knows some numbers of days only."""

from aws_cdk import aws_logs as logs

_KNOWN = {
    1: logs.RetentionDays.ONE_DAY,
    7: logs.RetentionDays.ONE_WEEK,
    30: logs.RetentionDays.ONE_MONTH,
    90: logs.RetentionDays.THREE_MONTHS,
    365: logs.RetentionDays.ONE_YEAR,
}


def retention_of(days: int) -> logs.RetentionDays:
    """Return the retention of so many days.

    Raises:
        ValueError: CloudWatch does not know that number, or nobody needed it yet.
    """
    if days not in _KNOWN:
        raise ValueError(f"logs cannot be kept for {days} days: choose one of {', '.join(map(str, _KNOWN))}")
    return _KNOWN[days]
