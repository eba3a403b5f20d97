"""An asyncio worker that brings invoice events from Kafka to Kravia: never billed twice, nothing lost."""
