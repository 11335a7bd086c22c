"""The list of bugs fits the source, and a net that catches nothing is noticed."""

from dataclasses import replace

import pytest

from tests.mutants import __main__ as mutants
from tests.mutants import nets
from tests.mutants.planting import ROOT, Bug, Stale, bugs, planted

BUG = Bug("a bug", "M1", "vendd/x.py", "one\n", "two\n", ("tests/none.py",))


@pytest.mark.parametrize("bug", bugs(), ids=lambda bug: bug.name)
def test_the_source_says_what_a_bug_replaces(bug):
    with_bug = bug.planted_in((ROOT / bug.file).read_text())
    compile(with_bug, bug.file, "exec")
    assert bug.nets


def test_there_are_enough_and_each_is_another():
    names = {bug.name for bug in bugs()}
    assert len(names) == len(bugs()) >= 20
    assert len({(bug.file, bug.old, bug.new) for bug in bugs()}) == len(bugs())


@pytest.mark.parametrize("source", ["", "one\none\n"])
def test_a_bug_that_no_longer_fits_is_an_error(source):
    with pytest.raises(Stale, match="not once"):
        BUG.planted_in(source)


def test_it_is_gone_again_afterwards(tmp_path):
    file = tmp_path / "vendd" / "x.py"
    file.parent.mkdir()
    file.write_text("zero\none\n")
    with planted(BUG, tmp_path):
        assert file.read_text() == "zero\ntwo\n"
    assert file.read_text() == "zero\none\n"


def test_who_gets_away_is_told(monkeypatch, tmp_path, capsys):
    bug = replace(BUG, nets=("first", "second"))
    (tmp_path / "vendd").mkdir()
    (tmp_path / "vendd" / "x.py").write_text("one\n")
    said = {"first": None, "second": "FAILED tests/there.py"}
    monkeypatch.setattr(mutants, "catches", lambda net, _tree: said[net])
    assert mutants._catch(bug, tmp_path).net == "second"
    said["second"] = None
    assert mutants._catch(bug, tmp_path).net is None
    assert "NOT CAUGHT" in capsys.readouterr().out


def test_a_net_that_does_not_run_is_no_catch(tmp_path):
    with pytest.raises(nets.NetTorn, match="ended with"):
        nets.catches("tests/that_are_not_there.py", tmp_path)
