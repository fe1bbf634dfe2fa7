"""From a customer table to a release."""
