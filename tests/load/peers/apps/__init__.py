"""What runs inside the peers' own environments: each parses JSON, scores one row and answers, and nothing else."""
