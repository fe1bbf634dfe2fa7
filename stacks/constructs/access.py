"""Who may call: a JWT authorizer before an issuer of one's own, or before a Cognito user pool made here."""

from collections.abc import Sequence

import aws_cdk as aws
from aws_cdk import aws_apigatewayv2_authorizers as authorizers
from aws_cdk import aws_cognito as cognito
from constructs import Construct

from cdk.stage import SCOPES, Stage
from cdk.stage_parts import Client
from stacks.constructs.acknowledged import acknowledge
from stacks.constructs.operators import client_output, tell_operators

RESOURCE_SERVER = "ebb"
"""Cognito writes a scope as "ebb/predict"; the functions know it as "predict"."""

_TOKEN_MINUTES = 60


def make_authorizer(scope: Construct, stage: Stage) -> authorizers.HttpJwtAuthorizer:
    """Return what verifies each token before a function sees it.

    A user pool stands in one region: the second one trusts the first one's, as the outputs of its stack of the same
    part name it.

    Args:
        scope: the stack; the pool and its clients are put into it where the stage names no issuer.
        stage: says who the issuer is, or which clients there are.
    """
    access = stage.access
    if access.issuer:
        return authorizers.HttpJwtAuthorizer("Tokens", access.issuer, jwt_audience=list(access.audiences))
    if stage.beside:
        stack = aws.Stack.of(scope).stack_name.replace(stage.place, stage.name, 1)
        issuer, *audience = (
            aws.Fn.get_stack_output(stack, output, stage.beside)
            for output in ("Issuer", *(client_output(client.name) for client in access.clients))
        )
        return authorizers.HttpJwtAuthorizer("Tokens", issuer, jwt_audience=audience)
    pool, clients = make_pool(scope, stage)
    issuer = f"https://cognito-idp.{aws.Aws.REGION}.{aws.Aws.URL_SUFFIX}/{pool.user_pool_id}"
    audience = [client.user_pool_client_id for client in clients]
    if stage.edge:
        aws.CfnOutput(scope, "Issuer", value=issuer, description="Of tokens, in both regions")
    return authorizers.HttpJwtAuthorizer("Tokens", issuer, jwt_audience=audience)


def make_pool(scope: Construct, stage: Stage) -> tuple[cognito.UserPool, list[cognito.UserPoolClient]]:
    """Add a user pool and the stage's clients, in their order.

    Args:
        scope: the stack.
        stage: says which clients there are.
    """
    pool = cognito.UserPool(
        scope,
        "Callers",
        self_sign_up_enabled=False,
        sign_in_case_sensitive=False,
        mfa=cognito.Mfa.REQUIRED,
        mfa_second_factor=cognito.MfaSecondFactor(otp=True, sms=False),
        password_policy=cognito.PasswordPolicy(
            min_length=16, require_digits=True, require_lowercase=True, require_symbols=True, require_uppercase=True
        ),
        feature_plan=cognito.FeaturePlan.ESSENTIALS,
        deletion_protection=stage.keep,
        removal_policy=aws.RemovalPolicy.RETAIN if stage.keep else aws.RemovalPolicy.DESTROY,
    )
    acknowledge(
        pool,
        "COG8",
        "The pool has clients and no users: what the plus plan protects, sign-in with passwords, is switched off. The "
        "plus plan was considered; it is paid for each user that signs in.",
    )
    domain = pool.add_domain(
        "Tokens",
        cognito_domain=cognito.CognitoDomainOptions(domain_prefix=f"ebb-{stage.name}-{aws.Aws.ACCOUNT_ID}"),
    )
    known = stage.access.clients
    clients = _clients(pool, known)
    tell_operators(scope, pool, domain, dict(zip((client.name for client in known), clients, strict=True)))
    return pool, clients


def _clients(pool: cognito.UserPool, clients: Sequence[Client]) -> list[cognito.UserPoolClient]:
    known = {name: cognito.ResourceServerScope(scope_name=name, scope_description=name) for name in SCOPES}
    server = pool.add_resource_server("Api", identifier=RESOURCE_SERVER, scopes=list(known.values()))
    return [
        pool.add_client(
            client.name.capitalize(),
            generate_secret=True,
            access_token_validity=aws.Duration.minutes(_TOKEN_MINUTES),
            enable_token_revocation=True,
            prevent_user_existence_errors=True,
            o_auth=cognito.OAuthSettings(
                flows=cognito.OAuthFlows(client_credentials=True),
                scopes=[cognito.OAuthScope.resource_server(server, known[name]) for name in client.scopes],
            ),
        )
        for client in clients
    ]
