"""Ebb beside other model servers: the same model, the same rows, one load generator, CPU of all their processes."""
