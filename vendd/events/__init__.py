"""What leaves the machine: typed events, CloudEvents envelope, JSON Schemas, topic routing."""

from vendd.events.context import Context
from vendd.events.encode import encode
from vendd.events.kinds import TOPICS, Kind, kind_of, topic_of
from vendd.events.stored import StoredEvent

__all__ = ["TOPICS", "Context", "Kind", "StoredEvent", "encode", "kind_of", "topic_of"]
