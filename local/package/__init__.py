"""Packing without Docker: reproducible layers and function archives for Lambda, on any machine that has uv.

`cdk.archives` says what each archive is made of. Here wheels are fetched for Lambda's processor, slimmed, compiled to
bytecode by Lambda's Python, and zipped so that the same sources give the same bytes.
"""
