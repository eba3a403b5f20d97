"""All settings together."""

from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from worker.settings.contract import ContractSettings
from worker.settings.documents import DocumentSettings
from worker.settings.kafka import KafkaSettings, TopicSettings
from worker.settings.kravia import KraviaSettings
from worker.settings.process import WorkerSettings

GROUPS = (
    ("Kafka", KafkaSettings),
    ("Topics", TopicSettings),
    ("Kravia", KraviaSettings),
    ("The contract's rules", ContractSettings),
    ("Documents", DocumentSettings),
    ("The worker", WorkerSettings),
)
"""Title and fields of each group, in the order in which people read them."""

NAMES = tuple(name for _, group in GROUPS for name in group.model_fields)
"""Every field, in that order."""


class Settings(
    KafkaSettings, TopicSettings, KraviaSettings, ContractSettings, DocumentSettings, WorkerSettings, BaseSettings
):
    """Every setting, typed and within its own bounds; `rules.problems` says whether they fit together.

    Constructing it reads nothing but its arguments: where values come from is `load`'s business. Raises pydantic's
    ValidationError, whose text holds no values.
    """

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, env_ignore_empty=True, case_sensitive=False
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments only, so that a test or the demo gets what it passes and nothing of its surroundings."""
        return (init_settings,)

    @property
    def longest_open_transaction(self) -> float:
        """Seconds after which the worker ends a transaction of its own: a third of the broker's time-out for it."""
        return self.kafka_transaction_timeout / 3
