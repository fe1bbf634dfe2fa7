"""What a local cloud serves: the release, the routing table, the functions and what they are told."""
