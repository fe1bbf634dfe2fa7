"""SageMaker's jobs on your own machine: the same scripts, as child processes under the container's contract."""
