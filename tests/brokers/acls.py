"""ACLs of a test's Apache Kafka."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from confluent_kafka.admin import (  # type: ignore[attr-defined]  # exported at run time
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from tests.brokers.waiting import equals


@dataclass(frozen=True)
class Grant:
    """An ACL that allows one operation on one resource: `kind` is Topic, Group, TransactionalId or Cluster."""

    kind: str
    name: str
    operation: str
    prefixed: bool = False


class Acls:
    """The cluster's ACLs. By librdkafka's admin client: Kafka's own command takes seconds for each call."""

    def __init__(self, bootstrap: str) -> None:
        self._admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 2})

    async def allow(self, user: str, grants: Iterable[Grant]) -> None:
        """Returns when the broker goes by them."""
        wanted = list(grants)
        for done in self._admin.create_acls([_binding(user, grant) for grant in wanted]).values():
            done.result(30)
        for grant in wanted:
            await equals(partial(self._has, user, grant), True, timeout=30)

    async def take(self, user: str, *grants: Grant) -> None:
        """Take these away, or all of the user's. AssertionError where there is none."""
        filters: list[Grant | None] = [*grants] or [None]
        for done in self._admin.delete_acls([_filter(user, grant) for grant in filters]).values():
            assert done.result(30), "an ACL that is to be taken away is not there"
        for grant in filters:
            await equals(partial(self._has, user, grant), False, timeout=30)

    async def _has(self, user: str, grant: Grant | None) -> bool:
        return bool(self._admin.describe_acls(_filter(user, grant)).result(30))


_KINDS = {
    "Topic": ResourceType.TOPIC,
    "Group": ResourceType.GROUP,
    "TransactionalId": ResourceType.TRANSACTIONAL_ID,
    "Cluster": ResourceType.BROKER,
}
_OPERATIONS = {
    "Read": AclOperation.READ,
    "Write": AclOperation.WRITE,
    "Create": AclOperation.CREATE,
    "Delete": AclOperation.DELETE,
    "Describe": AclOperation.DESCRIBE,
    "DescribeConfigs": AclOperation.DESCRIBE_CONFIGS,
    "IdempotentWrite": AclOperation.IDEMPOTENT_WRITE,
}


def _binding(user: str, grant: Grant) -> AclBinding:
    return AclBinding(
        _KINDS[grant.kind],
        grant.name,
        ResourcePatternType.PREFIXED if grant.prefixed else ResourcePatternType.LITERAL,
        f"User:{user}",
        "*",
        _OPERATIONS[grant.operation],
        AclPermissionType.ALLOW,
    )


def _filter(user: str, grant: Grant | None) -> AclBindingFilter:
    """None: all of the user's."""
    if grant is None:
        kind, name, pattern, operation = ResourceType.ANY, None, ResourcePatternType.ANY, AclOperation.ANY
    else:
        kind, name, operation = _KINDS[grant.kind], grant.name, _OPERATIONS[grant.operation]
        pattern = ResourcePatternType.PREFIXED if grant.prefixed else ResourcePatternType.LITERAL
    permission = AclPermissionType.ANY if grant is None else AclPermissionType.ALLOW
    # Its type stubs want a name; None is librdkafka's "any".
    return AclBindingFilter(kind, name, pattern, f"User:{user}", None, operation, permission)  # type: ignore[arg-type]
