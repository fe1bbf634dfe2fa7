"""`ebb job`: training's steps as SageMaker jobs, here or there."""
