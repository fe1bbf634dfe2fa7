"""A small HTTP/1.1 server on an asyncio loop, shared by the gateway and the executor's Invoke API."""
