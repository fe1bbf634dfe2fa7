"""Names of the network's places and ports, which both the network and what stands in it know."""

FUNCTIONS, DATA = "functions", "data"
"""The groups of subnets."""
VALKEY_PORT, POSTGRES_PORT, HTTPS = 6379, 5432, 443
