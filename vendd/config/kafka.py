"""The section ``[kafka]``: where the events go, how the machine logs in, what the link may carry.

No secret stands here, only where it is: ``credential:NAME`` (systemd) or a file's absolute path.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, Strict, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from vendd.config.parts import Section, Switch, Text

SecretFrom = Annotated[
    str, StringConstraints(pattern=r"^(credential:[A-Za-z0-9._-]{1,100}|/\S{1,200})$")
]
File = Annotated[str, StringConstraints(pattern=r"^/\S{1,200}$")]


class KafkaTls(Section):
    """`ca_file`: whom to trust, without it whom the system trusts. `certificate_file` and
    `key_from`: the machine's own, where the broker wants one (mTLS)."""

    ca_file: File | None = None
    certificate_file: File | None = None
    key_from: SecretFrom | None = None

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.certificate_file is None) is not (self.key_from is None):
            raise PydanticCustomError("pair", "certificate_file and key_from belong together")
        return self


class KafkaSasl(Section):
    mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256"] = "SCRAM-SHA-512"
    username: Text
    password_from: SecretFrom = "credential:vendd.kafka-password"


class Kafka(Section):
    """`enabled` false: events are kept for ``store.keep_days`` and then deleted, unsent.

    `budget_mib_per_day`: what the link may carry; once it is used up telemetry waits for the next
    day (UTC), money goes on. With a budget events travel in larger batches (`linger_ms`).
    """

    bootstrap: Annotated[
        str, StringConstraints(pattern=r"^[^\s,:]+:[0-9]{1,5}(,[^\s,:]+:[0-9]{1,5})*$")
    ] = "127.0.0.1:9092"
    topic_prefix: Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9._-]{0,100}$")] = ""
    enabled: Switch = True
    tls: KafkaTls | None = None
    sasl: KafkaSasl | None = None
    compression: Literal["none", "gzip", "snappy", "lz4", "zstd"] | None = None
    linger_ms: Annotated[int, Strict(), Field(ge=0, le=60_000)] | None = None
    budget_mib_per_day: Annotated[int, Strict(), Field(ge=1, le=100_000)] | None = None

    def batching(self) -> tuple[str, int]:
        """Compression and linger (ms): a metered link is worth a second and some CPU."""
        metered = self.budget_mib_per_day is not None
        compression = self.compression or ("zstd" if metered else "lz4")
        return compression, (1_000 if metered else 2) if self.linger_ms is None else self.linger_ms
