"""`ebb package`: what is shipped to Lambda, packed without Docker."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from local.synthesized import CDK
from local.terminal import TerminalProgress, next_step, print_facts, print_json, print_table

if TYPE_CHECKING:
    from local.package.build import Built
    from local.package.sizes import Size

_ROOT = Path(__file__).resolve().parents[2]


def package(
    *,
    arch: Annotated[str, typer.Option(help="Processor of the functions: arm64 or x86-64.")] = "arm64",
    again: Annotated[bool, typer.Option("--again", help="Pack also what is fresh.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Pack layers and functions for Lambda into dist/, and say how large each is. Exit code 1 when one is too large.

    The same sources give the same bytes. Needs uv, Python 3.13 and, until uv's cache holds the wheels, a package index.

    Example:  ebb package --arch x86-64
    """
    from local.package.build import build  # noqa: PLC0415 - keeps `ebb --help` quick
    from local.package.sizes import sizes  # noqa: PLC0415 - as above
    from training.progress import Silent  # noqa: PLC0415 - as above

    built = build(_ROOT, arch, Silent() if as_json else TerminalProgress(), again=again)
    measured = list(sizes(built.entries))
    if as_json:
        print_json(_as_json(built, measured))
    else:
        _print(built, measured)
    if not all(size.fits for size in measured):
        raise typer.Exit(1)


def _as_json(built: "Built", measured: "list[Size]") -> dict[str, Any]:
    return {
        "folder": built.folder,
        "architecture": built.architecture,
        "archives": {name: vars(entry) | {"kept": name in built.kept} for name, entry in built.entries.items()},
        "functions": {size.function: vars(size) | {"fits": size.fits} for size in measured},
    }


def _print(built: "Built", measured: "list[Size]") -> None:
    archives = [
        (name, _mib(entry.bytes_unzipped), _mb(entry.bytes_zipped), entry.archive_sha256[:12], _how(name in built.kept))
        for name, entry in built.entries.items()
    ]
    print_table(f"Archives for {built.architecture}", ("name", "unzipped", "zipped", "SHA-256", ""), archives)
    rows = [
        (
            size.function,
            f"{_mib(size.bytes_unzipped)} of {_mib(size.limit_unzipped)}",
            _mb(size.bytes_zipped) + (f" of {_mb(size.limit_zipped)}" if size.limit_zipped else ""),
            "fits" if size.fits else "TOO LARGE",
        )
        for size in measured
    ]
    print_table("Functions with both layers", ("function", "unzipped", "zipped", ""), rows)
    print_facts("In", {"folder": built.folder, "manifest": "manifest.json", "bill of materials": "sbom.cdx.json"})
    next_step("ebb cost --stage dev", f"{CDK} diff --all -c stage=dev", f"{CDK} deploy --all -c stage=dev")


def _how(kept: bool) -> str:  # noqa: FBT001 - one column's word
    return "fresh already" if kept else "packed"


def _mib(size: int) -> str:
    return f"{size / 1024 / 1024:.1f} MiB"


def _mb(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
