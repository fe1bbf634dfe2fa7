"""A secret's `Ref` is its ARN, as on AWS; MiniStack 1.5.33 answers with its name.

Source: "AWS::SecretsManager::Secret", CloudFormation template reference, "Return values".
"""

# ruff: noqa: SLF001 - what is added to an emulator reaches into it

from typing import Any

TYPE = "AWS::SecretsManager::Secret"
_JSON = dict[str, Any]


class SecretNames:
    """Stands in front of how `ministack.services.cloudformation.provisioners` creates, updates and deletes a secret.

    Args:
        provisioners: that module.
    """

    def __init__(self, provisioners: Any) -> None:
        self._handlers = provisioners._RESOURCE_HANDLERS
        self._secrets = provisioners._sm._secrets
        self._own = dict(self._handlers[TYPE])

    def install(self) -> None:
        """Take their places."""
        more = {"create": self.create, "update": self.update, "delete": self.delete}
        self._handlers[TYPE] = {**self._own, **more}

    def create(self, logical_id: str, properties: _JSON, stack: str) -> tuple[str, _JSON]:
        """Create a secret; return its ARN and its attributes."""
        _, attributes = self._own["create"](logical_id, properties, stack)
        return attributes["Arn"], attributes

    def update(self, arn: str, old: _JSON, new: _JSON, stack: str, logical_id: str) -> tuple[str, _JSON]:
        """Update a secret; return its ARN and its attributes."""
        _, attributes = self._own["update"](self._name(arn), old, new, stack, logical_id)
        return attributes["Arn"], attributes

    def delete(self, arn: str, properties: _JSON) -> None:
        """Delete a secret, where it is still there."""
        self._own["delete"](self._name(arn), properties)

    def _name(self, arn: str) -> str:
        return next((name for name, secret in self._secrets.items() if secret["ARN"] == arn), arn)
