"""The registry (MLflow): what was trained, on what, and which release has which role; imported when asked."""
