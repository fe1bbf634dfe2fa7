"""API Gateway's HTTP API on this machine: routes, JWT authorizer, payload format 2.0."""
