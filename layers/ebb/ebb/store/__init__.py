"""The feature store: the fast tier in front of the durable one."""
