"""Real brokers for tests: embedded (noida-db), Apache Kafka from its jars, Apache Kafka in Docker."""
