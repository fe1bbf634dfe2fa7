"""What runs on your own machine only: the command, the local cloud."""
