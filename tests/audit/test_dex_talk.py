"""The DEX responder word by word, as tables; silence, noise and second thoughts."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.counts import Counts
from tests.fuzz.dex_talk import CASES, run
from vendd.wire.evadts.dex import Delivered, DexResponder, NotDelivered, ReportWanted
from vendd.wire.evadts.dex_frame import MAX_TEXT, Block

HELLO = bytes.fromhex("100136 31 35 30 32 31 30 30 30 30 52 5230314C3031 10031A6D")
SENDER = bytes.fromhex("100145 50484F523030303031 53 5230314C3031 1003F990")
GREETING = bytes.fromhex("1001303045 50484F523030303031 5230314C3031 1003FE80")
ENQ, EOT, NAK, ACK_0, ACK_1 = b"\x05", b"\x04", b"\x15", b"\x100", b"\x101"
REPORT = b"DXS*" + b"x" * 300
ONE = Block(REPORT[:MAX_TEXT], header=False, last=False).to_bytes()
TWO = Block(REPORT[MAX_TEXT:], header=False, last=True).to_bytes()


class Talk:
    """Says something, gives what is answered within `seconds`; news are kept."""

    def __init__(self) -> None:
        self.machine = DexResponder("EPHOR00001")
        self.now = 100.0
        self.news = []

    def say(self, data: bytes, seconds: float = 0.2) -> bytes:
        self.news += self.machine.feed(data, self.now)
        assert self.machine.due(self.now + 0.009) == b""  # never at once
        return self.wait(seconds)

    def wait(self, seconds: float) -> bytes:
        end, heard = self.now + seconds, b""
        while self.machine.wake_at <= end:
            self.now = max(self.now, self.machine.wake_at)
            self.news += self.machine.tick(self.now)
            heard += self.machine.due(self.now)
        self.now = end
        return heard

    def introduce(self) -> None:
        """Both handshakes, the report, up to the first ENQ of the data."""
        assert self.say(ENQ) == ACK_0
        assert self.say(HELLO) == ACK_1
        self.machine.report(REPORT, self.now)
        assert self.say(EOT) == ENQ
        assert self.say(ACK_0) == GREETING
        assert self.say(ACK_1) == EOT + ENQ


def test_the_whole_conversation():
    talk = Talk()
    talk.introduce()
    for heard, answer in ((ACK_0, ONE), (ACK_1, TWO), (ACK_0, EOT)):
        assert talk.say(heard) == answer
    assert talk.news == [ReportWanted("6150210000"), Delivered("6150210000")]
    assert not talk.machine.busy
    assert talk.wait(600) == b""


def test_a_report_that_is_late_is_waited_for():
    talk = Talk()
    for heard, answer in ((ENQ, ACK_0), (HELLO, ACK_1), (EOT, ENQ), (ACK_0, GREETING)):
        assert talk.say(heard) == answer
    assert talk.say(ACK_1, 5.0) == EOT
    talk.machine.report(REPORT, talk.now)
    assert talk.wait(0.2) == ENQ
    assert talk.say(ACK_0) == ONE


def test_no_report_and_none_for_ever():
    for seconds in (0.0, 61.0):
        talk = Talk()
        for heard in (ENQ, HELLO, EOT, ACK_0, ACK_1):
            talk.say(heard)
        if seconds:
            assert talk.wait(seconds) == EOT
        else:
            talk.news += talk.machine.no_report(talk.now)
            assert talk.wait(0.2) == EOT
        assert isinstance(talk.news[-1], NotDelivered)
        assert not talk.machine.busy


def test_only_reading_is_offered():
    talk = Talk()
    assert [talk.say(word) for word in (ENQ, SENDER, EOT)] == [ACK_0, ACK_1, ENQ]
    assert talk.say(ACK_0).startswith(b"\x10\x0105EPHOR00001R01L01")
    assert talk.say(ACK_1) == EOT
    assert talk.news == [NotDelivered("EPHOR00001", "it wanted S, and can only read")]


def test_a_block_that_was_garbled_is_sent_again():
    talk = Talk()
    talk.introduce()
    for heard, answer in ((ACK_0, ONE), (NAK, ONE), (NAK, ONE), (ACK_1, TWO), (ACK_0, EOT)):
        assert talk.say(heard) == answer
    assert talk.news[-1] == Delivered("6150210000")


def test_a_lost_answer_is_asked_for_and_no_block_is_sent_twice():
    talk = Talk()
    talk.introduce()
    assert talk.say(ACK_0) == ONE
    assert talk.wait(2.0) == ENQ
    assert talk.say(ACK_1) == TWO  # it had it


def test_a_lost_block_is_sent_again_once_its_answer_says_so():
    talk = Talk()
    talk.introduce()
    assert talk.say(ACK_0) == ONE
    assert talk.wait(2.0) == ENQ
    assert talk.say(ACK_0) == ONE


def test_a_handheld_that_asks_for_time_gets_it():
    talk = Talk()
    talk.introduce()
    assert talk.say(ACK_0) == ONE
    for _ in range(8):
        assert talk.say(b"\x10\x3b", 1.3) == ENQ
    assert talk.say(ACK_1) == TWO


def test_silence_ends_it():
    talk = Talk()
    talk.introduce()
    assert talk.wait(30.0) == ENQ * 4 + EOT
    assert talk.news[-1].why == "the handheld does not answer, or not as it should"
    assert not talk.machine.busy


def test_silence_after_the_first_word_is_no_conversation():
    talk = Talk()
    assert talk.say(ENQ, 10.0) == ACK_0
    assert not talk.machine.busy
    assert talk.news == []


def test_a_handshake_that_is_none_is_refused_and_may_come_again():
    talk = Talk()
    assert talk.say(ENQ) == ACK_0
    for wrong in (HELLO[:-1] + b"\x00", Block(b"who?", header=True, last=True).to_bytes()):
        assert talk.say(wrong) == NAK
    assert talk.say(HELLO) == ACK_1
    assert talk.say(HELLO) == ACK_1  # it did not hear us
    assert talk.say(ENQ) == ACK_1


def test_a_handheld_that_begins_anew_is_served_anew():
    talk = Talk()
    talk.introduce()
    assert talk.say(ACK_0) == ONE
    talk.introduce()
    for heard, answer in ((ACK_0, ONE), (ACK_1, TWO), (ACK_0, EOT)):
        assert talk.say(heard) == answer
    assert [type(one) for one in talk.news] == [
        *(ReportWanted, NotDelivered, ReportWanted, Delivered)
    ]


def test_half_a_block_is_forgotten_after_a_while():
    talk = Talk()
    assert talk.say(ENQ) == ACK_0
    assert talk.say(HELLO[:9], 3.0) == b""
    assert talk.say(ENQ) == ACK_0
    assert talk.say(HELLO) == ACK_1


def test_the_line_is_lost_in_the_middle():
    talk = Talk()
    talk.introduce()
    assert talk.machine.closed("unplugged") == [NotDelivered("6150210000", "unplugged")]
    assert talk.wait(60) == b""
    talk.introduce()


@settings(max_examples=15)
@given(CASES)
def test_whatever_is_said_it_comes_to_rest(case):
    run(case, Counts())


@given(st.binary(max_size=300))
def test_noise_is_answered_by_little(data):
    talk = Talk()
    talk.news += talk.machine.feed(data, talk.now)
    assert len(talk.machine._out) <= 8
