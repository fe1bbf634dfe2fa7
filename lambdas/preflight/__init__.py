"""The hook before a shift of the code: the new version is as warm as the old one, and works, before anybody meets it."""
