"""AWS without boto3: requests that botocore signs, over connections of ours.

`client` sends, `signing` signs, `endpoint` knows where a service listens, `credentials` who asks. On them stand
`secrets` (Secrets Manager), `database_token` (IAM authentication of a database) and, beside this package, `ebb.s3`.
What is here takes a tenth of a second to import: only `ebb.cloud` does so, and only where something of AWS is named.
"""
