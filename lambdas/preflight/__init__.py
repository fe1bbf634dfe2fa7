"""The hook before a shift of the code: a new version is as warm as the old one, and works, before it is met."""
