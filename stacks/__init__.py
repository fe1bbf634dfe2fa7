"""The shapes of the system on AWS, one stack a module, in the order in which data flows."""
