"""SageMaker's API for processing jobs, answered by this machine's executor: what state machines here call."""
