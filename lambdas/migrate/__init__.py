"""The migrate function: brings a database's schema to a version, forward or back."""
