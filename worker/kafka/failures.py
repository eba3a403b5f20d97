"""aiokafka's exceptions as values."""

from aiokafka import errors

from worker.ports import Lost, LostWhy

# What aiokafka's clients raise on purpose (KafkaError), from the socket (OSError, TimeoutError among them), and from
# the asserts that guard the states of its transaction manager.
CLIENT_ERRORS = (errors.KafkaError, OSError, AssertionError)

_FENCED = (errors.ProducerFenced, errors.InvalidProducerEpoch, errors.InvalidProducerIdMapping)
_REFUSED = (
    errors.MessageSizeTooLargeError,
    errors.RecordListTooLargeError,
    errors.TopicAuthorizationFailedError,
    errors.GroupAuthorizationFailedError,
    errors.ClusterAuthorizationFailedError,
    errors.TransactionalIdAuthorizationFailed,
    errors.InvalidTopicError,
    errors.InvalidMessageError,
)


def lost(error: BaseException, doing: str) -> Lost:
    """Why `doing` failed."""
    name = f"{doing}: {type(error).__name__}"
    if isinstance(error, _FENCED):
        return Lost(LostWhy.FENCED, name)
    if isinstance(error, errors.ClusterAuthorizationFailedError):
        # What an idempotent producer gets at its start: Write on any topic would do (KIP-679).
        return Lost(LostWhy.REFUSED, f"{name}: this user has Write on no topic")
    if isinstance(error, _REFUSED):
        return Lost(LostWhy.REFUSED, name)
    if isinstance(error, TimeoutError | errors.KafkaTimeoutError | errors.RequestTimedOutError):
        return Lost(LostWhy.TIMEOUT, name)
    return Lost(LostWhy.BROKEN, f"{name}: {error}")
