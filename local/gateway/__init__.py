"""API Gateway on this machine: routes, JWT authorizer; events as an HTTP API (2.0) or a REST API (1.0) sends them."""
