"""Names of places: subnets and ports of the network, prefixes of the registry."""

FUNCTIONS, DATA = "functions", "data"
"""The groups of subnets."""
VALKEY_PORT, POSTGRES_PORT, HTTPS = 6379, 5432, 443
RELEASES, ROUTING = "releases", "routing"
"""Prefixes of the registry. What lies there is written once: a release never changes, and a change is a new table."""
REPLICATED = (RELEASES, ROUTING)
"""Those that the other region of a stage has too."""
