"""The tests. Run them with `make test`, on Apache Kafka with `make test-kafka`."""
