"""What several stacks repeat."""
