"""`ebb cost`: what a stage costs before it runs."""

from typing import TYPE_CHECKING, Annotated

import typer

from ebb.errors import Misuse
from local.synthesized import CDK, synthesized
from local.terminal import next_step, print_json

if TYPE_CHECKING:
    from cdk.pricing.shares import Use


def cost(
    *,
    stage: Annotated[str, typer.Option(help="dev, staging or prod.")] = "prod",
    rps: Annotated[float, typer.Option(help="Requests a second, the mean of the month.")] = 15_000,
    utilisation: Annotated[float, typer.Option(help="Share of the held capacity that the mean uses.")] = 0.6,
    share: Annotated[
        list[str] | None,
        typer.Option(help="Split the bill: NAME=REQUESTS or NAME=REQUESTS:DOLLARS of a variant or client; repeatable."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Price a stage from its templates, list prices and measured figures: a month, 1,000 predictions, by component.

    Needs Node, or the wheel's; no account and no network. What is assumed is named; docs/cost.md has the arithmetic.

    Example:  ebb cost --stage prod --rps 15000 --utilisation 0.6 --share champion=9000:2.1 --share challenger=1000:0.3
    """
    from cdk.pricing.bill import bill_of, curve_of, usd_per_1000_batch_rows  # noqa: PLC0415 - keeps `ebb --help` quick
    from cdk.pricing.errors import PricingError  # noqa: PLC0415 - as above
    from cdk.pricing.load import Load  # noqa: PLC0415 - as above
    from cdk.pricing.shares import shares_of  # noqa: PLC0415 - as above
    from cdk.pricing.templates import read_templates  # noqa: PLC0415 - as above
    from local.cost_page import Cost  # noqa: PLC0415 - as above

    uses = dict(_use(text) for text in share or ())
    try:
        load = Load(rps, utilisation)
        with synthesized(stage) as folder:
            templates = read_templates(folder, stage)
        bill = bill_of(templates, load)
        shares = shares_of(bill, uses) if uses else {}
        rows = usd_per_1000_batch_rows(templates, load)
        found = Cost(stage, bill, curve_of(templates, load), rows, shares)
    except PricingError as error:
        raise Misuse(str(error)) from None
    if as_json:
        print_json(found.as_dict())
    else:
        found.show()
        next_step("ebb package", f"{CDK} diff --all -c stage={stage}")


def _use(text: str) -> "tuple[str, Use]":
    from cdk.pricing.shares import Use  # noqa: PLC0415 - as above

    name, _, told = text.partition("=")
    requests, _, dollars = told.partition(":")
    try:
        return name, Use(float(requests), float(dollars) if dollars else None)
    except ValueError:
        raise Misuse(f"a share reads NAME=REQUESTS or NAME=REQUESTS:DOLLARS, and {text!r} does not") from None
