"""A folder that stands before AWS's own modules on the path of an environment: it holds nothing else."""
