"""The durable tier: Postgres, by `pg8000`."""
