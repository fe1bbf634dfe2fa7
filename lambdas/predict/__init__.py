"""The prediction function: scores entities."""
