"""Real servers from wheels, each a child of the process that started it, on loopback only."""
