"""Which releases serve, for whom, and how that changes."""
