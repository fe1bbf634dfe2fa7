"""`ebb deploy`: the steps from a checkout to a stage that scores, one module each.

    check ─ cdk ─ users ─ migrate ─ release ─ routing ─ features ─ verify

Each step asks the world whether it is done already (CloudFormation, the database, the bucket, the API), and no file of
its own: whatever ended a deployment, the same command goes on where it ended.
"""
