"""Releases and routing tables in S3.

`bucket` reads and writes objects, on condition where that matters; `releases` and `archive` keep releases, `roles`
who serves, `routing` the tables.
"""
