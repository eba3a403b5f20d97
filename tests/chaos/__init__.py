"""Chaos: three Kafka brokers, several workers and a faulty Kravia, killed and frozen while events run. `make chaos`."""
