"""Apache Kafka itself: one KRaft node on the loopback, fetched by Maven into the user's cache."""

import contextlib
import os
import random
import resource
import socket
import subprocess
import uuid
from pathlib import Path
from typing import Final

from certificates import Authority
from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)
from servers import missing, need

from vendd.events import TOPICS

VERSION: Final = "3.9.1"
CACHE: Final = Path.home() / ".cache" / "vendd" / f"kafka-{VERSION}"
_ANSWER_S: Final = 60.0
_EPHEMERAL: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")
_POM: Final = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>vendd.test</groupId><artifactId>kafka-server</artifactId><version>1</version>
  <dependencies><dependency>
    <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId>
    <version>{version}</version>
  </dependency></dependencies>
</project>
"""
_PROPERTIES: Final = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=CONTROLLER://127.0.0.1:{controller},{listeners}
advertised.listeners={advertised}
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,{protocols}
log.dirs={logs}
num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
"""


SECURE: Final = {"SASL": "SASL_SSL", "MUTUAL": "SSL", "EXPIRED": "SASL_SSL", "BEHIND": "PLAINTEXT"}
"""SASL/SCRAM in TLS; TLS with a certificate of the client; TLS of a server whose own is over; a
plain one that a relay of the test stands in front of."""
USER, OUTSIDER, PASSWORD = "demo-0001", "outsider", "s3cret-of-the-test"
"""Both may log in; only the first may write. A client's certificate has the name of the first."""


def _secured(authority: Authority) -> str:
    lines = [
        "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        f"super.users=User:ANONYMOUS;User:{USER};User:CN={USER}",
        "sasl.enabled.mechanisms=SCRAM-SHA-512",
        "auto.create.topics.enable=false",
    ]
    stores = {
        "SASL": authority.sign("server"),
        "MUTUAL": authority.sign("server-mutual"),
        "EXPIRED": authority.sign("server-old", days=-1),
    }
    for listener, signed in stores.items():
        name = f"listener.name.{listener.lower()}"
        lines += [
            f"{name}.ssl.keystore.type=PEM",
            f"{name}.ssl.keystore.location={signed.both()}",
            f"{name}.ssl.truststore.type=PEM",
            f"{name}.ssl.truststore.location={authority.ca}",
            f"{name}.ssl.client.auth={'required' if listener == 'MUTUAL' else 'none'}",
        ]
        if SECURE[listener] == "SASL_SSL":
            lines += [
                f"{name}.sasl.enabled.mechanisms=SCRAM-SHA-512",
                f"{name}.scram-sha-512.sasl.jaas.config="
                "org.apache.kafka.common.security.scram.ScramLoginModule required;",
            ]
    return "\n".join([*lines, ""])


def fetch() -> Path:
    """The folder with Kafka's jars; fetched once. Skips when that isn't possible here."""
    need("java", "mvn")
    jars = CACHE / "lib"
    done = CACHE / "complete"
    if not done.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        (CACHE / "pom.xml").write_text(_POM.format(version=VERSION), encoding="utf-8")
        command = ["mvn", "-q", "-B", "dependency:copy-dependencies", "-DincludeScope=runtime"]
        fetched = subprocess.run(
            [*command, f"-DoutputDirectory={jars}"],
            cwd=CACHE,
            capture_output=True,
            text=True,
            check=False,
        )
        if fetched.returncode != 0:
            missing(f"Maven could not fetch Kafka {VERSION}: {fetched.stdout[-500:]}")
        done.touch()
    return jars


class KafkaServer:
    """One broker with its data under `folder`; can be killed and started again.

    With `secure` it has more listeners beside the plain one, see `SECURE`, knows whom it lets
    write, and makes no topics by itself; without, everybody may everything.
    """

    def __init__(self, folder: Path, *, secure: bool = False) -> None:
        self._jars = fetch()
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._properties = folder / "server.properties"
        protocols = {"PLAINTEXT": "PLAINTEXT"} | (SECURE if secure else {})
        controller, self.relay_port, *ports = _free_ports(2 + len(protocols))
        self.at = {name: f"127.0.0.1:{port}" for name, port in zip(protocols, ports, strict=True)}
        self.bootstrap = self.at["PLAINTEXT"]
        text = _PROPERTIES.format(
            controller=controller,
            listeners=_addresses(self.at),
            advertised=_addresses(
                self.at | ({"BEHIND": f"127.0.0.1:{self.relay_port}"} if secure else {})
            ),
            protocols=",".join(f"{name}:{protocol}" for name, protocol in protocols.items()),
            logs=folder / "data",
        )
        if secure:
            self.authority = Authority(folder / "tls")
            text += _secured(self.authority)
        self._properties.write_text(text, encoding="utf-8")
        cluster = ["--cluster-id", uuid.uuid4().hex[:22]]
        users = [f"SCRAM-SHA-512=[name={user},password={PASSWORD}]" for user in (USER, OUTSIDER)]
        scram = [word for user in users for word in ("--add-scram", user)] if secure else []
        tool = ["kafka.tools.StorageTool", "format", *cluster, *scram]
        self._java(*tool, "-c", str(self._properties)).wait(_ANSWER_S)

    def start(self) -> None:
        """Start it and wait until it answers; once more if it does not. Its own words, if not."""
        for _ in range(2):
            self._process = self._java("kafka.Kafka", str(self._properties))
            admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
            with contextlib.suppress(KafkaException):
                admin.list_topics(timeout=_ANSWER_S)
                return
            self.kill()
        raise AssertionError(f"the broker does not answer: {self._last_words()}")

    def _last_words(self) -> str:
        return (self._folder / "kafka.log").read_text(encoding="utf-8", errors="replace")[-3000:]

    def kill(self) -> None:
        """As a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(_ANSWER_S)
            self._process = None

    def allow_file_size(self, size: int) -> None:
        """From now on no file of the running broker can grow beyond that: its disk is full."""
        assert self._process is not None
        resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, (size, size))

    def create_topics(self, prefix: str, **config: str) -> None:
        """The topics of a machine and their dead letters."""
        for topic in TOPICS:
            self.create_topic(prefix + topic, **config)
            self.create_topic(f"{prefix}{topic}.dlq", **config)

    def configure_topics(self, prefix: str, **config: str) -> None:
        """Change settings of the topics that are there."""
        entries = [
            ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
            for name, value in config.items()
        ]
        resources = [
            ConfigResource(ResourceType.TOPIC, prefix + topic, incremental_configs=entries)
            for topic in TOPICS
        ]
        admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
        for done in admin.incremental_alter_configs(resources).values():
            done.result(_ANSWER_S)

    def create_topic(self, name: str, *, partitions: int = 1, **config: str) -> None:
        admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
        topic = NewTopic(name, num_partitions=partitions, replication_factor=1, config=config)
        try:
            admin.create_topics([topic])[name].result(_ANSWER_S)
        except TimeoutError:
            raise AssertionError(f"no topic {name}: {self._last_words()}") from None

    def _java(self, main: str, *arguments: str) -> subprocess.Popen[bytes]:
        with (self._folder / "kafka.log").open("ab") as log:
            return subprocess.Popen(
                ["java", "-Xms128m", "-Xmx256m", "-cp", f"{self._jars}/*", main, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "LANG": "C.UTF-8"},
            )


def _addresses(listeners: dict[str, str]) -> str:
    return ",".join(f"{name}://{address}" for name, address in listeners.items())


def _free_ports(count: int) -> list[int]:
    """Ports that no outgoing connection gets while the broker is away: a client that tries to
    connect to a dead port of its own kind's range may even reach itself and keep the port."""
    first = int(_EPHEMERAL.read_text(encoding="ascii").split()[0])
    free: list[int] = []
    for port in random.SystemRandom().sample(range(first // 2, first), 50 * count):
        with socket.socket() as trial, contextlib.suppress(OSError):
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(("127.0.0.1", port))
            free.append(port)
        if len(free) == count:
            return free
    raise AssertionError(f"no {count} free ports below {first}")
