"""The records function: writes features."""
