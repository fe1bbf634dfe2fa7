"""What `ebb ... --stage` finds a stage's tokens by: outputs that name where, and the ids of the clients; no secret."""

from collections.abc import Mapping

import aws_cdk as aws
from aws_cdk import aws_cognito as cognito
from constructs import Construct


def tell_operators(
    scope: Construct,
    pool: cognito.UserPool,
    domain: cognito.UserPoolDomain,
    clients: Mapping[str, cognito.UserPoolClient],
) -> None:
    """Add the outputs TokenUrl, UserPoolId and, for each client, such as ClientOperating.

    Args:
        scope: the stack.
        pool: whose clients they are; who may describe one reads its secret there.
        domain: serves the token endpoint.
        clients: by name.
    """
    aws.CfnOutput(scope, "TokenUrl", value=f"{domain.base_url()}/oauth2/token", description="Where tokens are had")
    aws.CfnOutput(scope, "UserPoolId", value=pool.user_pool_id, description="Whose clients may call")
    for name, client in clients.items():
        told = f"Id of the client {name}"
        aws.CfnOutput(scope, client_output(name), value=client.user_pool_client_id, description=told)


def client_output(name: str) -> str:
    """Return the output that names a client's id."""
    return f"Client{name.capitalize()}"
