"""The fast tier: Valkey, by the synchronous `redis` client."""
