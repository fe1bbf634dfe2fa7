"""One module a subcommand of `ebb`: reads its options, calls one function, prints the answer."""
