"""What can be wrong with a price before it is one."""


class PricingError(ValueError):
    """A stage that cannot be priced; its sentence says why and what to do."""
