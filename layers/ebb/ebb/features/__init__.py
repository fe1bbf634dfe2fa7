"""Raw feature values: what a contract accepts, one by one and by the column, and how they enter the graph."""
