"""The hook after a shift of the code: what the alias names now is the new version, and it answers."""
