"""`ebb down`: takes the local cloud down."""

from typing import Annotated

import typer

from local.terminal import console, next_step, print_json


def down(*, as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False) -> None:
    """Take the local cloud down; also cleans up after a supervisor that was killed.

    Example:  ebb down
    """
    from local.supervisor.down import down as take_down  # noqa: PLC0415
    from local.supervisor.state import state_folder  # noqa: PLC0415

    stopped = take_down(state_folder())
    if as_json:
        print_json(stopped.__dict__)
    elif not stopped.was_up:
        console.print(f"Nothing was up in {state_folder()} (EBB_HOME names another folder).", markup=False)
    else:
        console.print(f"Ebb is down ({stopped.seconds:.1f} s); features stay in {state_folder()}.")
    if not as_json:
        next_step("ebb up")
