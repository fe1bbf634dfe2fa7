"""The values of each stage and the app that makes its stacks; Lambda folders are named by path, never imported."""
