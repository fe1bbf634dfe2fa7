"""What runs inside a SageMaker container, and as it is on your own machine: `python -m training.jobs NAME`."""
