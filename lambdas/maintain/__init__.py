"""The maintenance function, invoked by a schedule: repairs the fast tier, renews it ahead of expiry, turns months."""
