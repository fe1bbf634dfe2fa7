"""What a token may allow; every route names the one that it needs."""

PREDICT = "predict"
"""Score entities, and see what serves."""

EXPLAIN = "explain"
"""Ask for reason codes."""

FEATURES = "features:write"
"""Write features."""

OUTCOMES = "outcomes:write"
"""Report true labels."""

SUBJECTS = "subjects"
"""See and erase everything that is held of one entity."""

ADMIN = "admin"
"""Decide which releases serve."""

SCOPES = (PREDICT, EXPLAIN, FEATURES, OUTCOMES, SUBJECTS, ADMIN)
