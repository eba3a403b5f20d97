"""Kafka's own programs: their options. `test_kafka_programs.py` asks Apache Kafka whether it has them."""

from collections.abc import Callable, Mapping, Sequence

from tests.docs.standin import wrong


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


OPTIONS: Mapping[str, frozenset[str]] = {
    "kafka-consumer-groups.sh": _words("""
        bootstrap-server command-config group describe members offsets state topic reset-offsets to-earliest to-offset
        to-current to-datetime to-latest shift-by dry-run execute export from-file all-topics all-groups verbose list
        delete timeout
    """),
    "kafka-topics.sh": _words("""
        bootstrap-server command-config create delete describe list alter topic partitions replication-factor config
        if-exists if-not-exists
    """),
    "kafka-configs.sh": _words("""
        bootstrap-server command-config alter describe entity-type entity-name topic add-config delete-config all
        add-config-file
    """),
    "kafka-acls.sh": _words("""
        bootstrap-server command-config add remove list allow-principal deny-principal operation topic group
        transactional-id resource-pattern-type cluster producer consumer force principal
    """),
    "kafka-console-consumer.sh": _words("""
        bootstrap-server topic from-beginning partition offset max-messages timeout-ms group isolation-level
        command-config
    """),
    "kafka-get-offsets.sh": _words("bootstrap-server command-config topic partitions time topic-partitions"),
}
"""By program."""

TOOLS: Mapping[str, str] = {
    "kafka-consumer-groups.sh": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    "kafka-topics.sh": "org.apache.kafka.tools.TopicCommand",
    "kafka-configs.sh": "kafka.admin.ConfigCommand",
    "kafka-acls.sh": "org.apache.kafka.tools.AclCommand",
    "kafka-console-consumer.sh": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "kafka-get-offsets.sh": "org.apache.kafka.tools.GetOffsetShell",
}
"""What each of them runs (Kafka 4.3's bin/)."""


def kafka(name: str) -> Callable[[Sequence[str]], int]:
    """One of Kafka's own programs: its options are ones that it has."""

    def run(words: Sequence[str]) -> int:
        for word in words:
            if word.startswith("--") and word[2:].partition("=")[0] not in OPTIONS[name]:
                wrong(f"{name}: {word} is no option that is known here")
        return 0

    return run
