"""What a function serves: the releases of the routing table, loaded, and swapped while requests go on."""
