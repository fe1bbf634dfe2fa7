"""What a stage costs before it runs: its templates, list prices and measured figures, multiplied."""
