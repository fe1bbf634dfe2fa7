"""The release: an immutable, content-addressed folder of one graph and all that explains it."""
