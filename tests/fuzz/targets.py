"""Everything that is fuzzed, by name: what its input looks like and what has to hold."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.fuzz import (
    adapter_lines,
    bill_talk,
    cctalk_talk,
    changer_talk,
    decoders,
    dex_talk,
    event_logs,
    half_duplexes,
    native_talk,
    pulse_trains,
    reader_talk,
    recordings,
    wire_cctalk,
    wire_mdb,
)
from tests.fuzz.counts import Counts


@dataclass(frozen=True, slots=True)
class Target:
    """`run` raises whatever must not happen. `batch`: cases drawn from one seed."""

    name: str
    cases: st.SearchStrategy[Any]
    run: Callable[[Any, Counts], None]
    batch: int = 100


def _bytes_only(decoder: Callable[[Any, Counts], None]) -> Callable[[Any, Counts], None]:
    def run(case: Any, counts: Counts) -> None:
        raw = case if isinstance(case, bytes) else case[1]
        counts.bytes += len(raw)
        decoder(case, counts)

    return run


TARGETS = (
    Target("decode mdb block", decoders.BLOCKS, _bytes_only(decoders.mdb_block)),
    Target("decode mdb changer", decoders.CHANGER, _bytes_only(decoders.changer_answers)),
    Target("decode mdb bills", decoders.BILLS, _bytes_only(decoders.bill_answers)),
    Target("decode mdb cashless", decoders.READER, _bytes_only(decoders.reader_messages)),
    Target("decode qibixx", adapter_lines.QIBIXX, adapter_lines.qibixx),
    Target("decode qibixx native", native_talk.DECODED, native_talk.lines),
    Target("decode waferstar", adapter_lines.WAFERSTAR, adapter_lines.waferstar),
    Target("decode cctalk frame", decoders.FRAMES, _bytes_only(decoders.cctalk_frame)),
    Target("decode cctalk codes", decoders.CCTALK, _bytes_only(decoders.cctalk_answers)),
    Target("decode cctalk events", event_logs.CASES, event_logs.run),
    Target("decode cctalk wire", half_duplexes.CASES, half_duplexes.run),
    Target("decode pulses", pulse_trains.ANY, pulse_trains.any_edges),
    Target("decode honest pulses", pulse_trains.HONEST, pulse_trains.honest_trains),
    Target("decode trace words", recordings.PIECES, recordings.words, batch=40),
    Target("decode trace file", recordings.FILES, recordings.files),
    Target("decode audit file", dex_talk.FILES, dex_talk.report),
    Target("dex", dex_talk.CASES, dex_talk.run, batch=60),
    Target("mdb changer", changer_talk.CASES, changer_talk.run, batch=60),
    Target("mdb bills", bill_talk.CASES, bill_talk.run, batch=60),
    Target("mdb cashless 1", reader_talk.cases(1), reader_talk.run, batch=60),
    Target("mdb cashless 2", reader_talk.cases(2), reader_talk.run, batch=60),
    Target("native cashless", native_talk.CASES, native_talk.run, batch=60),
    Target("cctalk coins", cctalk_talk.cases("coins"), cctalk_talk.run, batch=60),
    Target("cctalk bills", cctalk_talk.cases("bills"), cctalk_talk.run, batch=60),
    Target("cctalk hopper", cctalk_talk.cases("hopper"), cctalk_talk.run, batch=60),
    Target("wire mdb qibixx", wire_mdb.CASES, wire_mdb.run_qibixx, batch=10),
    Target("wire mdb waferstar", wire_mdb.CASES, wire_mdb.run_waferstar, batch=10),
    Target("wire cctalk", wire_cctalk.CASES, wire_cctalk.run, batch=10),
)
