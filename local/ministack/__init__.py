"""What is added to MiniStack inside its own process and environment, `.tools/ministack`.

`local.servers.ministack` starts it.

Nothing here imports Ebb or anything that MiniStack's environment lacks.
"""
