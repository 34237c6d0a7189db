"""One call that fails on the way home delays it by what it must, and never keeps it from ending."""

import pytest

from exploration import faults
from exploration.faults import FAULTS, cells, page, quantile


@pytest.fixture(scope="module")
def found():
    return cells()


def test_the_page_is_what_the_command_writes(found):
    assert faults.PAGE.read_text("utf-8") == page(found), "run: python -m exploration.faults"


def test_every_fault_ends_aborted_with_all_weight_at_home(found):
    assert {cell.end for cell in found} == {"aborted"}


def test_every_call_of_the_abort_path_fails_in_each_way(found):
    operations = {cell.target[1] for cell in found if cell.target[0] == "rollback"}

    assert operations == {
        "update_item",
        "update_endpoint_weights_and_capacities",
        "transact_write_items",
        "send_task_failure",
        "publish",
        "describe_endpoint",
    }
    for cell in found:
        if cell.target[0]:
            same = {
                one.fault for one in found if (one.path, one.target) == (cell.path, cell.target)
            }
            assert set(FAULTS) <= same


def test_no_fault_of_the_ledger_delays_an_alarms_first_weight_call_by_more_than_a_second(found):
    assert max(cell.to_call for cell in found if cell.path == "an alarm") <= 1.0


def test_what_is_not_the_platforms_time_stays_within_a_lease_and_a_watchdog_period(found):
    assert max(cell.ours for cell in found) <= 180 + 60


@pytest.mark.parametrize(("share", "wanted"), [(0.5, 2.0), (0.99, 4.0), (1.0, 4.0), (0.25, 1.0)])
def test_a_quantile_is_a_value_that_was_seen(share, wanted):
    assert quantile([4.0, 1.0, 3.0, 2.0], share) == wanted
