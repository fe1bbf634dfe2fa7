"""Bulk load: a table into Postgres and Valkey, batch by batch, in bounded memory and resumable after a kill."""
