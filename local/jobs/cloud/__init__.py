"""The same jobs on SageMaker, asked for through its SDK."""
