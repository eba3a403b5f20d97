"""What the doctor says of rights, the group and the brokers, on answers as a broker may give them."""

from pathlib import Path

import pytest

from worker.doctor import roles
from worker.doctor.brokers import reach_findings
from worker.doctor.findings import Finding, Level
from worker.doctor.group import group_findings, offsets_without_ledger
from worker.doctor.rights import Wanted, rights_findings
from worker.kafka.reach import Survey, split
from worker.kafka.rights import GroupUse, Member, Operation, Told, operations_of
from worker.kafka.topic_state import ClusterState, TopicState
from worker.kafka.trouble import Trouble
from worker.model import TopicNames

NAMES, ALL = TopicNames(), frozenset(Operation)
SIX = (*NAMES.inputs, NAMES.journal, NAMES.ledger, NAMES.outcomes, NAMES.dead_letters)
WELL = Told(topics=dict.fromkeys(SIX, ALL), group=ALL)
ROOT = Path(__file__).parents[2]


def rights(told: Told, session: float = 30.0) -> dict[str, Finding]:
    wanted = Wanted(NAMES, "group", session, 60.0, "User:worker", "kafka:9093")
    return {finding.what: finding for finding in rights_findings(told, wanted)}


class TestRights:
    def test_all_well(self):
        found = rights(WELL)
        assert {finding.level for finding in found.values()} == {Level.OK}
        assert len(found) == 8
        assert found["invoice.journal"].detail == "Read, Write, Delete, DescribeConfigs: allowed"

    @pytest.mark.parametrize("right", roles.worker(NAMES, "group"), ids=str)
    def test_one_that_is_missing(self, right: roles.Right):
        match right.kind:
            case roles.Kind.TOPIC:
                told = Told({**WELL.topics, right.name: ALL - {right.operation}}, ALL)
            case roles.Kind.GROUP:
                told = Told(WELL.topics, ALL - {right.operation})
            case roles.Kind.TRANSACTIONAL_ID:
                told = Told(WELL.topics, ALL, transactional="TransactionalIdAuthorizationFailed")
        [finding] = [finding for finding in rights(told).values() if finding.level is not Level.OK]
        assert finding.level is (Level.FAIL if right.vital else Level.WARN)
        assert (finding.what, finding.detail) == (str(right), f"not allowed: {right.without}")

    def test_a_group_that_may_not_be_described_has_no_read(self):
        denied = rights(Told(WELL.topics, None, "GroupAuthorizationFailedError"))["group group: Read"]
        assert denied.level is Level.FAIL
        assert denied.remedy == (
            "kafka-acls.sh --bootstrap-server kafka:9093 --add --allow-principal User:worker --operation Read "
            "--group group"
        )
        assert "can't be described" in rights(Told(WELL.topics, None, "CoordinatorLoad"))["group group"].detail

    def test_a_broker_that_does_not_tell_is_a_warning(self):
        found = rights(Told(dict.fromkeys(SIX), None))
        assert found["invoice.ledger"].level is Level.WARN
        assert "check by hand that it has Read, Write, DescribeConfigs" in found["invoice.ledger"].remedy
        assert found["group group"].level is Level.WARN

    def test_of_topics_that_are_missing_no_right_is_told(self):
        assert set(rights(Told({}, ALL))) == {"group group", "transactional ids invoice.ledger.*"}

    @pytest.mark.parametrize(
        ("error", "what", "says"),
        [
            ("InvalidTransactionTimeout", "KAFKA_TRANSACTION_TIMEOUT", "60 s is above the broker's"),
            ("UnknownError", "transactional ids invoice.ledger.*", "a producer can't start (UnknownError)"),
        ],
    )
    def test_producers_that_can_not_start(self, error: str, what: str, says: str):
        finding = rights(Told(WELL.topics, ALL, transactional=error))[what]
        assert finding.level is Level.FAIL
        assert says in finding.detail

    def test_the_brokers_bounds_of_a_session(self):
        bounds = {"group.min.session.timeout.ms": 6000, "group.max.session.timeout.ms": 20_000}
        told = Told(WELL.topics, ALL, session=bounds)
        assert rights(told)["KAFKA_SESSION_TIMEOUT"].level is Level.FAIL
        assert rights(told, session=10)["KAFKA_SESSION_TIMEOUT"].level is Level.OK

    def test_kafkas_bit_field_and_names(self):
        assert operations_of(-(2**31)) is None
        assert operations_of(1 << 3 | 1 << 8 | 1 << 11) == {Operation.READ, Operation.DESCRIBE}
        assert Operation.DESCRIBE_CONFIGS.told == "DescribeConfigs"

    def test_one_command_for_each_resource(self):
        told = list(roles.commands(roles.worker(NAMES, "group"), "User:CN=invoice worker", "a:1,b:2"))
        assert len(told) == 8
        assert told[-1] == (
            "kafka-acls.sh --bootstrap-server a:1,b:2 --add --allow-principal 'User:CN=invoice worker' "
            "--operation Write --resource-pattern-type prefixed --transactional-id invoice.ledger."
        )

    def test_the_docs_list_the_rights_of_each_role(self):
        text = (ROOT / "docs" / "reference" / "rights.md").read_text(encoding="utf-8")
        for title, has in (
            ("Worker", roles.worker(NAMES, "kravia-invoice-worker")),
            ("Administrator", roles.admin(NAMES)),
            ("Operator", roles.operator(NAMES, "kravia-invoice-worker")),
            ("Finance", roles.finance(NAMES, "kravia-invoice-worker")),
            ("Producer", roles.producer(NAMES)),
            ("Reader of outcomes", roles.reader(NAMES, "its own")),
        ):
            section = text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
            rows = {line for line in section.splitlines() if line.startswith("| ") and "---" not in line}
            assert rows - {"| resource | operation | without it |"} == {
                f"| {_resource(right)} | {right.operation.told} | {right.without} |" for right in has
            }, title


def _resource(right: roles.Right) -> str:
    match right.kind:
        case roles.Kind.TOPIC:
            return f"topic `{right.name}`"
        case roles.Kind.GROUP:
            return f"group `{right.name}`"
        case roles.Kind.TRANSACTIONAL_ID:
            return f"transactional ids `{right.name}*` (prefixed)"


def member(client: str = "pod-0", instance: str | None = None, topics: frozenset[str] | None = None) -> Member:
    return Member(client, "10.0.0.7", instance, frozenset(NAMES.inputs) if topics is None else topics)


class TestGroup:
    def group(self, use: GroupUse, instance: str | None = None) -> list[Finding]:
        return list(group_findings(use, NAMES, "billing", instance, "pod-0"))

    def test_ours_alone(self):
        [finding] = self.group(GroupUse())
        assert (finding.level, finding.detail) == (Level.OK, "nobody is in it now")
        [finding] = self.group(GroupUse("consumer", (member(), member("pod-1"))))
        assert (finding.level, finding.detail) == (Level.OK, "2 members, all of them read the two inputs")

    def test_another_application_in_it_is_named(self):
        [finding] = self.group(
            GroupUse("consumer", (member(), member("crm-3", topics=frozenset({"invoice.outcomes"}))))
        )
        assert finding.level is Level.FAIL
        assert finding.detail == "another application is in it: client crm-3 at 10.0.0.7 reads invoice.outcomes"
        [finding] = self.group(GroupUse("connect", (member(),)))
        assert finding.level is Level.FAIL
        assert "'connect'" in finding.detail

    @pytest.mark.parametrize(
        ("newer", "state", "level", "says"),
        [
            ("consumer", "Stable", Level.FAIL, "another application is in it: its members speak the newer protocol"),
            ("consumer", "Reconciling", Level.FAIL, "(state Reconciling)"),
            ("consumer", "Empty", Level.WARN, "nobody is in it now, but another application has used it"),
            ("share", "Empty", Level.FAIL, "a group of the type share, not of consumers (state Empty)"),
            ("streams", "Stable", Level.FAIL, "a group of the type streams"),
        ],
    )
    def test_a_group_of_another_type_is_named_with_what_to_do(self, newer: str, state: str, level: Level, says: str):
        [finding] = self.group(GroupUse(newer=newer, state=state))
        assert finding.level is level
        assert says in finding.detail
        assert "set another KAFKA_GROUP_ID, as long as the ledger is empty" in finding.remedy

    def test_one_name_of_two_processes(self):
        mine, others = member("pod-0", "w-0"), member("pod-9", "w-0")
        assert [found.level for found in self.group(GroupUse("consumer", (mine,)), "w-0")] == [Level.OK, Level.OK]
        _, finding = self.group(GroupUse("consumer", (others,)), "w-0")
        assert finding.level is Level.WARN
        assert "pod-9 at 10.0.0.7, not pod-0: two processes with one name" in finding.detail

    def test_offsets_of_somebody_else(self):
        finding = offsets_without_ledger("billing", 3)
        assert finding.level is Level.WARN
        assert "3 partitions" in finding.detail


class TestBrokers:
    def test_each_is_reached(self):
        [finding] = reach_findings(Survey({}, {}, {1: ("a", 1), 2: ("b", 1)}))
        assert (finding.level, finding.detail) == (Level.OK, "2 in the cluster, each reached where it says that it is")

    def test_one_that_is_astray(self):
        trouble = Trouble("broker 2 advertises itself as b:1: no address", "correct it")
        [finding] = reach_findings(Survey({}, {2: trouble}, {1: ("a", 1), 2: ("b", 1)}))
        assert (finding.level, finding.detail) == (Level.FAIL, trouble.detail)

    def test_none_of_several(self):
        survey = Survey({"a:1": Trouble("a:1: refused", "x"), "b:1": Trouble("b:1: refused", "x")}, {}, {})
        assert [finding.detail for finding in reach_findings(survey)] == ["a:1: refused", "b:1: refused"]
        assert survey.fatal == Trouble("a:1: refused", "x")

    def test_addresses(self):
        assert split("kafka.example.com:9093") == ("kafka.example.com", 9093)
        assert split("[::1]:9092") == ("::1", 9092)

    def test_what_a_cluster_lacks_is_told_by_cause(self):
        requests = TopicState(NAMES.requests, 1, 1, None)
        cluster = ClusterState(1, {NAMES.requests: requests}, frozenset({NAMES.ledger}))
        assert cluster.lacks([NAMES.requests]) is None
        assert cluster.lacks(SIX[:4]) == (
            "this user has no right on topics: invoice.ledger; topics are missing: invoice.replays, invoice.journal; "
            "see `worker topics check`"
        )
