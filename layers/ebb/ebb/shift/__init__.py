"""What the hooks share that stand before and after a shift of the code; see `docs/deployment.md`."""
