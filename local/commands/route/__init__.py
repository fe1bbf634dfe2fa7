"""`ebb route`: which releases serve, and with which weights."""
