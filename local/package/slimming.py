"""What of the wheels no function can reach: taken out, so that a cold start has less to load.

Each line of the rules takes something out of the wheels of today (a test says which does not), and the functions are
run on what is left. Licences, notices and each package's METADATA stay.
"""

from pathlib import Path, PurePosixPath

FOLDERS = (
    "alembic/templates",  # of `alembic init`
    "alembic/testing",
    "aws_lambda_powertools/event_handler",  # of Powertools the functions use the logger
    "aws_lambda_powertools/utilities/auth_alpha",
    "aws_lambda_powertools/utilities/circuit_breaker",
    "aws_lambda_powertools/utilities/data_classes",
    "aws_lambda_powertools/utilities/data_masking",
    "aws_lambda_powertools/utilities/feature_flags",
    "aws_lambda_powertools/utilities/idempotency",
    "aws_lambda_powertools/utilities/kafka",
    "aws_lambda_powertools/utilities/parameters",
    "aws_lambda_powertools/utilities/parser",
    "aws_lambda_powertools/utilities/streaming",
    "bin",  # console scripts
    "numpy/_core/include",  # to compile against numpy
    "numpy/_core/lib",
    "numpy/_pyinstaller",
    "numpy/f2py",
    "numpy/random/_examples",
    "numpy/random/lib",
    "numpy/testing",  # imports numpy's tests
    "onnxruntime/backend",  # needs the package onnx
    "onnxruntime/datasets",
    "onnxruntime/quantization",
    "onnxruntime/tools",
    "onnxruntime/transformers",
    "sqlalchemy/testing",
    "wrapt-stubs",
)
"""Folders, from where the wheels were installed."""

ANYWHERE = ("tests", "__pycache__")
"""Folders of these names, wherever they are."""

FILES = (
    "onnxruntime/capi/libonnxruntime.so.*",  # for C programs: the Python module has all of it linked in
    "swagger_ui_bundle/vendor/*/*.map",
    "swagger_ui_bundle/vendor/*/swagger-ui-es-bundle*.js",  # lambdas.predict.docs names what it serves
    "swagger_ui_bundle/vendor/*/swagger-ui-standalone-preset.js",
    "swagger_ui_bundle/vendor/*/swagger-ui.js",
    ".lock",  # of uv
    "*.dist-info/INSTALLER",
    "*.dist-info/RECORD",  # would name what is gone
    "*.dist-info/REQUESTED",
)
"""Patterns of `PurePath.match`, against the end of a file's path."""

SUFFIXES = (".c", ".h", ".pxd", ".pyi", ".pyx")
"""Of files that are for compilers and type checkers."""


def slim(folder: Path) -> int:
    """Take out what the rules name; folders that end up empty go with it.

    Args:
        folder: where the wheels were installed.

    Returns:
        How many bytes were taken out.
    """
    taken = 0
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir():
            if not any(path.iterdir()):
                path.rmdir()
        elif rule_for(PurePosixPath(path.relative_to(folder).as_posix())):
            taken += path.lstat().st_size
            path.unlink()
    return taken


def rule_for(path: PurePosixPath) -> str:
    """Return the rule that takes a file out; empty where it stays.

    Args:
        path: from where the wheels were installed.
    """
    for folder in FOLDERS:
        if path.is_relative_to(folder):
            return folder
    for name in ANYWHERE:
        if name in path.parts[:-1]:
            return name
    for pattern in FILES:
        if path.match(pattern):
            return pattern
    return path.suffix if path.suffix in SUFFIXES else ""
