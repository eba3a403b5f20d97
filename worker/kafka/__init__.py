"""Kafka, through aiokafka: behind the seams of `worker.ports`."""
