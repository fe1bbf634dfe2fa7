"""What HTTP functions share: the call as they see it, and the answer or problem that they send."""
