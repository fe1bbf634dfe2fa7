"""Prediction events: the durable record of every answer."""
