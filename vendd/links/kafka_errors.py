"""What librdkafka's errors mean: for the message they are about, and for who has to mend it."""

from typing import Final

from confluent_kafka import KafkaError

from vendd.ports import DeliveryFailed, Trouble

_PERMANENT: Final = frozenset(
    {
        KafkaError.MSG_SIZE_TOO_LARGE,
        KafkaError.RECORD_LIST_TOO_LARGE,
        KafkaError.INVALID_MSG,
        KafkaError.INVALID_RECORD,
        KafkaError._INVALID_DIFFERENT_RECORD,  # a neighbour of one: alone it will be taken
    }
)
"""What is about the message. A missing topic or permission is about the deployment: the events
wait until somebody mends it, or a slip in an access list would bury a day of sales. So is a time
that the broker doesn't take: it is that of the sending, and a clock that is set mends it."""

_TROUBLES: Final = {
    KafkaError._AUTHENTICATION: Trouble.AUTH_REFUSED,
    KafkaError.SASL_AUTHENTICATION_FAILED: Trouble.AUTH_REFUSED,
    KafkaError.UNSUPPORTED_SASL_MECHANISM: Trouble.AUTH_REFUSED,
    KafkaError._SSL: Trouble.TLS_REFUSED,
    KafkaError.TOPIC_AUTHORIZATION_FAILED: Trouble.NOT_ALLOWED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: Trouble.NOT_ALLOWED,
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: Trouble.NOT_ALLOWED,
    KafkaError.UNKNOWN_TOPIC_OR_PART: Trouble.TOPIC_MISSING,
    KafkaError._UNKNOWN_TOPIC: Trouble.TOPIC_MISSING,
    KafkaError._UNKNOWN_PARTITION: Trouble.TOPIC_MISSING,
    KafkaError.INVALID_TIMESTAMP: Trouble.CLOCK_REFUSED,
    KafkaError._TRANSPORT: Trouble.UNREACHABLE,
    KafkaError._ALL_BROKERS_DOWN: Trouble.UNREACHABLE,
    KafkaError._RESOLVE: Trouble.UNREACHABLE,
    KafkaError._TIMED_OUT: Trouble.UNREACHABLE,
    KafkaError._MSG_TIMED_OUT: Trouble.UNREACHABLE,
    KafkaError._PURGE_QUEUE: Trouble.UNREACHABLE,
    KafkaError._PURGE_INFLIGHT: Trouble.UNREACHABLE,
    KafkaError.NETWORK_EXCEPTION: Trouble.UNREACHABLE,
}
_TLS: Final = ("SSL routines", "SSL alert")
"""Of a certificate that the broker refuses TLS 1.3 tells after the handshake, in a lost connection.
Only the text says so."""


def classify(error: KafkaError) -> DeliveryFailed:
    """What an error means for the message it is about, or for the connection."""
    text = error.str()
    trouble = _TROUBLES.get(error.code(), Trouble.REFUSED)
    if trouble is Trouble.UNREACHABLE and any(words in text for words in _TLS):
        trouble = Trouble.TLS_REFUSED
    fatal = error.fatal() or error.code() == KafkaError._FATAL
    return DeliveryFailed(
        f"{error.name()}: {text}",
        permanent=not fatal and error.code() in _PERMANENT,
        fatal=fatal,
        trouble=trouble,
    )
