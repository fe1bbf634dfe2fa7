"""What every part of Ebb shares: the domain modules, and the adapters beside them."""
