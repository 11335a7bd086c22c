"""What a card reader answers to each command, faults aside (NAMA MDB/ICP 4.2, section 7)."""

from collections.abc import Callable

from hw_sim.devices.card_reader_parts import OPTION_ALWAYS_IDLE, OPTION_WIDE, ReaderModel
from hw_sim.devices.card_reader_session import ReaderSession, Stage

ACKNOWLEDGE = b""  # a plain ACK; None is silence
CANCELLED = b"\x08"
OLD_ENOUGH, TOO_YOUNG = b"\x9f\x10", b"\x1f\x10"
VMC_ID = 29


class ReaderCommands:
    """Carries out commands. Answers: bytes, empty for ACK, None for silence."""

    def __init__(self, session: ReaderSession, reset: Callable[[], None]) -> None:
        self._session = session
        self._model: ReaderModel = session.model
        self._reset = reset
        self.age_limit = 0
        self.age_asked = False

    def carry_out(self, command: int, data: bytes) -> bytes | None:
        handlers = {
            0: self._on_reset,
            1: self._on_setup,
            2: self._on_poll,
            3: self._on_vend,
            4: self._on_reader,
            5: self._on_revalue,
            7: self._on_expansion,
        }
        handler = handlers.get(command)
        return None if handler is None else handler(data)

    def show_age(self, years: int) -> None:
        """The holder shows how old they are; nothing unless the reader asked."""
        if self.age_asked:
            self.age_asked = False
            bits = OLD_ENOUGH if years >= self.age_limit > 0 else TOO_YOUNG
            self._session.said.append(b"\xff\x06\x07" + bits + b"DRAVS")

    def _on_reset(self, data: bytes) -> bytes | None:
        if data:
            return None
        self._reset()
        return ACKNOWLEDGE

    def _on_poll(self, data: bytes) -> bytes | None:
        session = self._session
        if data or (session.mute and session.stage is not Stage.INACTIVE):
            return None
        return session.said[0] if session.said else ACKNOWLEDGE

    def _soon(self, message: bytes) -> bytes:
        """An answer that some give at once and others on POLL."""
        if self._model.answers == "at once":
            return message
        self._session.said.append(message)
        return ACKNOWLEDGE

    def _on_setup(self, data: bytes) -> bytes | None:
        session, model = self._session, self._model
        if data[:1] == b"\x01" and len(data) in (5, 11):
            return ACKNOWLEDGE
        if data[:1] != b"\x00" or len(data) != 5:
            return None
        session.level = max(1, min(model.level, data[1]))
        if session.stage is Stage.INACTIVE:
            session.stage = Stage.DISABLED
        flags = model.refunds | model.multi_vend << 1 | model.wants_cash_sales << 3
        head = bytes([0x01, session.level]) + model.currency.to_bytes(2, "big")
        return self._soon(head + bytes([model.scale, model.decimals, model.max_response_s, flags]))

    def _on_vend(self, data: bytes) -> bytes | None:
        session, size = self._session, len(data)
        money = 4 if session.wide else 2
        match data[:1]:
            case b"\x00" if size == 3 + money:
                units = int.from_bytes(data[1 : 1 + money], "big")
                return session.ask(self._model.minor(units), int.from_bytes(data[-2:], "big"))
            case b"\x01" if size == 1:
                return session.cancel()
            case b"\x02" if size == 3:
                return session.succeed()
            case b"\x03" if size == 1:
                return session.fail()
            case b"\x04" if size == 1:
                return session.complete()
            case b"\x05" if size >= 3 + money and self._model.wants_cash_sales:
                units = int.from_bytes(data[1 : 1 + money], "big")
                item = int.from_bytes(data[1 + money : 3 + money], "big")
                session.truth.cash_sales.append((self._model.minor(units), item))
                return ACKNOWLEDGE
        return None

    def _on_reader(self, data: bytes) -> bytes | None:
        session = self._session
        if session.stage is Stage.INACTIVE:
            return session.out_of_sequence()
        if data == b"\x02":
            if session.stage is not Stage.ENABLED:
                return session.out_of_sequence()
            return self._soon(CANCELLED)
        if data not in (b"\x00", b"\x01"):
            return None
        enable = data == b"\x01"
        if session.stage in (Stage.DISABLED, Stage.ENABLED):
            session.stage = Stage.ENABLED if enable else Stage.DISABLED
        else:
            session.disable_later = not enable
        return ACKNOWLEDGE

    def _on_revalue(self, data: bytes) -> bytes | None:
        session, money = self._session, 4 if self._session.wide else 2
        card = session.card
        if session.stage is not Stage.SESSION or card is None:
            return session.out_of_sequence()
        if data == b"\x01":
            most = min(self._model.units(self._model.revalues_up_to), (1 << 8 * money) - 2)
            return self._soon(b"\x0f" + most.to_bytes(money, "big"))
        if data[:1] != b"\x00" or len(data) != 1 + money:
            return None
        amount = self._model.minor(int.from_bytes(data[1:], "big"))
        if card.declined or amount > self._model.revalues_up_to:
            return self._soon(b"\x0e")
        card.balance += amount
        session.truth.loaded += amount
        return self._soon(b"\x0d")

    def _on_expansion(self, data: bytes) -> bytes | None:
        session, model = self._session, self._model
        match data[:1]:
            case b"\x00" if len(data) == 1 + VMC_ID:
                return self._soon(self._identity())
            case b"\x03" if len(data) == 11:
                return ACKNOWLEDGE
            case b"\x04" if len(data) == 5 and session.level >= 3:
                options = int.from_bytes(data[1:], "big") & model.options
                session.wide = bool(options & OPTION_WIDE)
                session.always_idle = bool(options & OPTION_ALWAYS_IDLE)
                return ACKNOWLEDGE
            case b"\xff" if model.ages:
                return self._on_age(data[1:])
        return None

    def _identity(self) -> bytes:
        model = self._model
        text = model.manufacturer.ljust(3) + model.serial.ljust(12) + model.model.ljust(12)
        known = b"\x09" + text.encode("ascii") + model.software.to_bytes(2, "big")
        return known + (model.options.to_bytes(4, "big") if self._session.level >= 3 else b"")

    def _on_age(self, data: bytes) -> bytes | None:
        """DRAVP and DRAVS are acknowledged, and answered on POLL."""
        if data[:2] == b"\x05\x06" and data[3:] == b"DRAVP":
            self.age_limit = 0 if data[2] == 0xFF else data[2]
            self.age_asked = False
            self._session.said.append(b"\xff\x05\x06\x00DRAVP")
            return ACKNOWLEDGE
        if data[:2] == b"\x06\x06" and data[3:] == b"DRAVS":
            self.age_asked = True
            return ACKNOWLEDGE
        return None
