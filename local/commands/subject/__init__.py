"""`ebb subject`: what is held of one entity, and its erasure."""
