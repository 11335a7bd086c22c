"""Payment devices: what may be written, what comes out, and every contradiction named."""

import re

import pytest

from tests.config.machines import SMALL, changed, written
from vendd.__main__ import main
from vendd.config import ConfigError, load, load_with_warnings

MDB = SMALL[SMALL.index("[mdb]") : SMALL.index("[sale]")]
CCTALK = """
[cctalk]
port = "/dev/vendd-cctalk"
[cctalk.coins]
country = "EU"
values = { 1 = "0.10", 3 = "0.50", 5 = "2.00" }
[[cctalk.hopper]]
coin = 3
value = "0.50"
fed_by = 1
"""
PULSE = """
[[pulse]]
pin = "coin_pulse"
coins = { 1 = "0.10", 2 = "0.20", 5 = "0.50", 10 = "1.00" }
"""


def fitted(more: str, *, mdb: str = MDB) -> str:
    """The small machine with other payment devices."""
    return changed(SMALL, MDB, mdb + more + "\n")


def pulsed(more: str = "", *, mdb: str = MDB) -> str:
    """With a pulse acceptor instead of the door switch."""
    text = fitted(PULSE + more, mdb=mdb)
    text = changed(text, '[door]\npin = "door"\nactive_low = false\n', "")
    return changed(text, "door = 8\n", "coin_pulse = 8\n")


def complaints(folder, text: str) -> list[str]:
    path = written(folder, text)
    try:
        found = load_with_warnings(path)[1]
    except ConfigError as error:
        found = error.problems
    return [str(problem).removeprefix(f"{path}: ") for problem in found]


# --- what comes out ------------------------------------------------------------------------


def test_a_machine_with_an_mdb_section_has_a_changer_on_it_and_nothing_else(tmp_path):
    config = load(written(tmp_path, SMALL))
    assert config.changer_bus() == "mdb"
    assert config.validator_bus() is None
    assert config.readers() == ()


def test_everything_on_mdb(tmp_path):
    more = """
    [bill_validator]
    recycle = ["5.00", "10.00"]
    security = ["50.00"]
    [[card_reader]]
    number = 2
    [[card_reader]]
    number = 1
    level = 2
    """
    config = load(written(tmp_path, fitted(more)))
    assert (config.changer_bus(), config.validator_bus()) == ("mdb", "mdb")
    assert [(r.number, r.level) for r in config.readers()] == [(1, 2), (2, 3)]
    assert config.bill_validator is not None
    assert [config.minor(t) for t in config.bill_validator.recycle or ()] == [500, 1000]


def test_what_is_switched_off_is_not_there(tmp_path):
    more = (
        "[changer]\nenabled = false\n[bill_validator]\nenabled = false\n"
        "[[card_reader]]\nnumber = 1\nenabled = false"
    )
    config = load(written(tmp_path, fitted(more)))
    assert (config.changer_bus(), config.validator_bus(), config.readers()) == (None, None, ())


def test_coins_and_hoppers_on_cctalk_without_any_mdb(tmp_path):
    config = load(written(tmp_path, fitted(CCTALK, mdb="")))
    assert config.changer_bus() == "cctalk"
    assert config.cctalk is not None
    assert config.cctalk.coins is not None
    assert config.cctalk.coins.values == {1: "0.10", 3: "0.50", 5: "2.00"}


def test_bills_on_cctalk_need_no_section_of_their_own(tmp_path):
    more = CCTALK + '[cctalk.bills]\ncountry = "EU"\n'
    config = load(written(tmp_path, fitted(more, mdb="")))
    assert (config.changer_bus(), config.validator_bus()) == ("cctalk", "cctalk")


def test_pulses_alone_will_do(tmp_path):
    config = load(written(tmp_path, pulsed(mdb="")))
    assert config.changer_bus() is None
    assert config.pulse[0].coins == {1: "0.10", 2: "0.20", 5: "0.50", 10: "1.00"}


def test_a_reader_on_an_adapter_of_its_own_will_do_alone(tmp_path):
    alone = fitted('[[card_reader]]\nnumber = 1\nport = "/dev/vendd-card"\n', mdb="")
    (reader,) = load(written(tmp_path, alone)).readers()
    assert reader.port == "/dev/vendd-card"


def test_a_drop_in_changes_one_reader_by_its_number(tmp_path):
    path = written(tmp_path, fitted("[[card_reader]]\nnumber = 1\n[[card_reader]]\nnumber = 2\n"))
    folder = path.with_name(f"{path.name}.d")
    folder.mkdir()
    (folder / "reader.toml").write_text("[[card_reader]]\nnumber = 2\nlevel = 1\n")
    assert [(r.number, r.level) for r in load(path).readers()] == [(1, 3), (2, 1)]


def test_any_price_list_may_be_named(tmp_path):
    text = changed(SMALL, 'cash = "1.00" }', 'cash = "1.00", card = "1.10", list_3 = "0.80" }')
    slot = load(written(tmp_path, text)).slots()["11"]
    assert (slot.price("list_3"), slot.price("list_4")) == (80, 100)


def test_ages_and_surcharges_reach_the_core(tmp_path):
    text = fitted('[[card_reader]]\nnumber = 1\nage = ["9F10"]\n')
    text = changed(text, 'id = "cola"', 'id = "cola"\nmin_age = 18')
    text = changed(text, "[sale]", '[sale]\ncard_surcharge = "0.10"\nmixed_tender = true')
    config = load(written(tmp_path, text))
    assert config.products()["cola"].min_age == 18
    assert (config.policy().card_surcharge, config.policy().card_discount) == (10, 0)
    assert config.policy().mixed_tender


def test_the_hash_does_not_cover_the_place_of_the_books(tmp_path):
    here = load(written(tmp_path, SMALL))
    there = load(written(tmp_path, changed(SMALL, '"/var/lib/vendd"', '"/mnt/vendd"')))
    assert here.hash() == there.hash()
    assert here.hash() != load(written(tmp_path, changed(SMALL, "max_mib = 256", ""))).hash()


# --- what is complained about ---------------------------------------------------------------

READERS = "[[card_reader]]\nnumber = 1\n"
ROWS = [
    ("no way to pay", fitted("", mdb=""), "mdb: is missing, and nothing else takes money; add"),
    (
        "no adapter",
        changed(SMALL, 'adapter = "qibixx"', 'adapter = "quibixx"'),
        'mdb.adapter = "quibixx": is none of the choices; write "qibixx", "waferstar" or "auto", '
        'did you mean "qibixx"?',
    ),
    (
        "baud with auto",
        changed(SMALL, 'adapter = "qibixx"', 'adapter = "auto"\nbaud = 9600'),
        "mdb.baud = 9600: can't be chosen with auto; remove it, or name the adapter",
    ),
    (
        "two ways to pay out",
        fitted('[changer]\npayout = "coins"\n'),
        'mdb.payout = "auto": is another one in [changer]; remove it here',
    ),
    (
        "reader without bus",
        fitted(CCTALK + READERS, mdb=""),
        "card_reader[1]: has no bus; add an [mdb] section",
    ),
    (
        "validator without bus",
        fitted(CCTALK + "[bill_validator]\n", mdb=""),
        "bill_validator: has no bus; add an [mdb] section",
    ),
    (
        "nothing on cctalk",
        fitted('[changer]\nbus = "cctalk"\n'),
        'changer.bus = "cctalk": finds nothing there; add a [cctalk.coins] section',
    ),
    (
        "acceptor without use",
        fitted('[changer]\nbus = "mdb"\n' + CCTALK),
        'changer.bus = "mdb": leaves the device of [cctalk.coins] without use; remove',
    ),
    (
        "two changers to guess at",
        fitted(CCTALK),
        "warning: cctalk.coins: stands beside an MDB bus; [changer] bus",
    ),
    (
        "one port for two",
        fitted(changed(CCTALK, "vendd-cctalk", "vendd-mdb")),
        'cctalk.port = "/dev/vendd-mdb": is that of [mdb] too',
    ),
    (
        "a reader on the bus's own port",
        fitted('[[card_reader]]\nnumber = 1\nport = "/dev/vendd-mdb"\n'),
        'card_reader[1].port = "/dev/vendd-mdb": is that of [mdb] too; a bus has its own port',
    ),
    (
        "handhelds on the bus's own port",
        fitted('[dex]\nport = "/dev/vendd-mdb"\n'),
        'dex.port = "/dev/vendd-mdb": is that of [mdb] too; a bus has its own port',
    ),
    (
        "ages through an adapter of its own",
        fitted('[[card_reader]]\nnumber = 1\nport = "/dev/vendd-card"\nage = ["9F10"]\n'),
        "card_reader[1].age = ['9F10']: can't be had through an adapter of its own; remove it",
    ),
    (
        "a reader twice",
        fitted("[[card_reader]]\nnumber = 1\n[[card_reader]]\nnumber = 1\n"),
        "card_reader[1].number = 1: is used already; device 1 or device 2",
    ),
    (
        "a third reader",
        fitted("[[card_reader]]\nnumber = 3\n"),
        "card_reader[3].number = 3: is none of the choices; write 1 or 2",
    ),
    (
        "an address twice",
        fitted(CCTALK + "address = 2\n", mdb=""),
        "cctalk.hopper[1].address = 2: is that of cctalk.coins, too; give each device",
    ),
    (
        "a hopper that disagrees",
        fitted(changed(CCTALK, '\nvalue = "0.50"', '\nvalue = "0.20"'), mdb=""),
        'cctalk.hopper[1].value = "0.20": is not what cctalk.coins.values says of coin 3: 0.50',
    ),
    (
        "two hoppers for a coin",
        fitted(CCTALK + '[[cctalk.hopper]]\ncoin = 3\nvalue = "0.50"\naddress = 4\n', mdb=""),
        "cctalk.hopper[2].coin = 3: has a hopper already; one hopper for each coin",
    ),
    (
        "hoppers alone",
        fitted('[cctalk]\nport = "/dev/x"\n[[cctalk.hopper]]\ncoin = 1\nvalue = "1.00"\n'),
        "cctalk: has neither coins nor bills; add [cctalk.coins] or [cctalk.bills]",
    ),
    (
        "no amount",
        fitted('[bill_validator]\nrecycle = ["5"]\n'),
        'bill_validator.recycle[1] = "5": has 0 decimals, EUR has 2; write for example "1.50"',
    ),
    (
        "a coin worth nothing",
        pulsed().replace('5 = "0.50"', '5 = "0.00"'),
        'pulse[coin_pulse].coins.5 = "0.00": is worth nothing; write an amount above 0',
    ),
    (
        "pulses that could be other coins",
        pulsed().replace('1 = "0.10", 2 = "0.20", 5 = "0.50"', '1 = "0.10", 2 = "0.50"'),
        "2, 10 pulses could be several other coins as well, worth something else; let the",
    ),
    (
        "pulses longer than a stuck line",
        pulsed("max_ms = 3000\n"),
        "pulse[coin_pulse]: can't work: pulses: min_ms < max_ms < stuck_ms; correct these",
    ),
    (
        "a pulse line that is no pin",
        pulsed().replace('pin = "coin_pulse"', 'pin = "coin_plse"'),
        'pulse[coin_plse].pin = "coin_plse": names a pin that [pins] does not have; did you mean',
    ),
    (
        "an age nobody verifies",
        changed(fitted(READERS), 'id = "cola"', 'id = "cola"\nmin_age = 18'),
        "product[cola].min_age = 18: can't be verified: no card reader knows ages; write the",
    ),
    (
        "a slot called like the wish to revalue",
        changed(changed(SMALL, "[sale]", "[sale]\nrevalue = true"), '"11"', '"00"'),
        'slot[00].selection = "00": asks to put credit on the card (sale.revalue); name the',
    ),
    (
        "a keypad that can't ask to revalue",
        changed(changed(SMALL, "[sale]", "[sale]\nrevalue = true"), '"0", "#"', '"", "#"'),
        "sale.revalue = true: can't be asked for: no key is 0; give the keypad a 0, or remove",
    ),
    (
        "an age answer that is no hex",
        fitted(READERS + 'age = ["9f10"]\n'),
        'card_reader[1].age[1] = "9f10": has not the right form; write bytes in hexadecimal',
    ),
    (
        "a mistyped list",
        changed(SMALL, 'cash = "1.00" }', 'cash = "1.00", crad = "1.10" }'),
        'warning: slot[11].price.crad = "1.10": is a price list of its own; did you mean "card"?',
    ),
    (
        "no name of a list",
        changed(SMALL, 'cash = "1.00" }', 'cash = "1.00", Happy-Hour = "0.80" }'),
        'slot[11].price.Happy-Hour = "0.80": is no name of a price list',
    ),
    (
        "a list without an amount",
        changed(SMALL, 'cash = "1.00" }', 'cash = "1.00", list_1 = 80 }'),
        "slot[11].price.list_1 = 80: is not text; write it in quotes",
    ),
    (
        "a discount that gives it away",
        changed(SMALL, "[sale]", '[sale]\ncard_discount = "0.95"'),
        "slot[16].price: leaves nothing to pay by card after sale.card_discount = 0.95; write",
    ),
]


@pytest.mark.parametrize(("text", "expected"), [r[1:] for r in ROWS], ids=[r[0] for r in ROWS])
def test_each_contradiction_is_named_with_its_remedy(tmp_path, text, expected):
    found = complaints(tmp_path, text)
    assert any(problem.startswith(expected) or expected in problem for problem in found), found


def test_vendd_check_prints_every_payment_device(tmp_path, capsys):
    more = """
    [bill_validator]
    recycle = ["5.00"]
    [[card_reader]]
    number = 1
    """
    assert main(["check", "--config", str(written(tmp_path, fitted(more)))]) == 0
    out = capsys.readouterr().out
    assert "3 payment devices" in out
    assert re.search(r"coin changer +MDB at /dev/vendd-mdb \(qibixx\) +payout auto", out)
    assert re.search(r"bill validator +MDB at .* recycles 5.00", out)
    assert re.search(r"card reader 1 +MDB at .* up to level 3, always idle", out)
    assert main(["check", "--config", str(written(tmp_path, pulsed(CCTALK, mdb="")))]) == 0
    out = capsys.readouterr().out
    assert re.search(r"hopper +ccTalk 3 at /dev/vendd-cctalk +coin 3 of 0.50, fed by exit 1", out)
    assert re.search(r"pulse acceptor +pin coin_pulse +pulses 1: 0.10, .*; always on", out)
