"""Where our own golden tables are: request in hex, reply in hex, what it means.

Written from the facts of the standards, device by device. `test_golden.py` sees to it that none
of these tests can go away unnoticed.
"""

from typing import Final

START = "tests/mdb/test_mdb_start.py::"
POLL = "tests/mdb/test_mdb_poll.py::"
COINS = "tests/mdb/test_mdb_pay_by_coins.py::"
VALUE = "tests/mdb/test_mdb_pay_by_value.py::"
BILLS = "tests/mdb/test_bill_start.py::"
BILL_POLL = "tests/mdb/test_bill_poll.py::"
BILL_PAYOUT = "tests/mdb/test_bill_payout.py::"
CARDS = "tests/mdb/test_cashless_start.py::"
SESSIONS = "tests/mdb/test_cashless_sessions.py::"
FAILURES = "tests/mdb/test_cashless_failures.py::"
ORDERS = "tests/mdb/test_cashless_orders.py::"
MESSAGES = "tests/mdb/test_cashless_messages.py::"
CC = "tests/cctalk/"

# what the table shows -> the tests that hold it
GOLDEN: Final[dict[str, tuple[str, ...]]] = {
    # the whole initialisation of each device and level
    "coin changer, level 2": (START + "test_level_2_is_not_asked_for_what_it_does_not_have",),
    "coin changer, level 3": (START + "test_level_3",),
    "bill validator, level 1": (
        BILLS + "test_level_1",
        BILLS + "test_security_is_told_when_configured",
    ),
    "bill validator, level 2, no recycler": (
        BILLS + "test_level_2_without_recycler_or_not_wanted",
    ),
    "bill validator, level 2, recycler": (BILLS + "test_level_2_with_recycler",),
    "cashless, level 1": (CARDS + "test_level_1", CARDS + "test_level_1_then_enabled"),
    "cashless, level 2": (CARDS + "test_level_2", CARDS + "test_level_3_asked_level_2_answered"),
    "cashless, level 3, 16 bits": (
        CARDS + "test_level_3_without_options",
        CARDS + "test_level_3_in_16_bits_when_that_is_wished_for",
    ),
    "cashless, level 3, expanded": (CARDS + "test_level_3_with_expanded_currency_and_always_idle",),
    "cashless 2": (CARDS + "test_second_device_speaks_at_60",),
    "cashless, everything on POLL": (CARDS + "test_everything_on_poll",),
    # each activity on POLL
    "coin changer, each activity": (POLL + "test_activity", POLL + "test_every_byte_is_covered"),
    "coin changer, the same twice": (POLL + "test_repeated_reports",),
    "coin changer, moved by hand": (
        POLL + "test_a_manual_fill_is_fetched_and_the_tubes_tell_what_they_hold",
        POLL + "test_a_manual_payout_is_told_once_by_the_poll_and_not_by_its_report",
    ),
    "bill validator, each activity": (BILL_POLL + "test_each_activity",),
    "bill validator, escrow": (
        BILL_POLL + "test_escrow_then_stack",
        BILL_POLL + "test_escrow_then_recycler",
        BILL_POLL + "test_escrow_then_return",
        BILL_POLL + "test_the_bill_comes_back_by_itself",
    ),
    "cashless, each message": (MESSAGES + "test_each_message",),
    # sessions of a cashless device
    "single vend": (SESSIONS + "test_single_vend", SESSIONS + "test_everything_answered_at_once"),
    "multi-vend": (SESSIONS + "test_multi_vend_keeps_the_session_where_the_reader_allows_it",),
    "cancelled by the reader": (
        SESSIONS + "test_cancelled_by_the_readers_button_before_a_selection",
        SESSIONS + "test_cancelled_by_the_reader_while_authorising",
    ),
    "cancelled by the lever": (
        SESSIONS + "test_lever_before_a_selection",
        SESSIONS + "test_lever_before_the_approval",
        SESSIONS + "test_approval_crosses_the_cancel_and_is_given_back",
    ),
    "denied": (SESSIONS + "test_denied",),
    "vend failure": (
        FAILURES + "test_failure_refunded",
        FAILURES + "test_failure_with_refund_error",
        FAILURES + "test_failure_silent_to_the_end_is_unconfirmed_and_only_then_comes_a_reset",
        FAILURES + "test_failure_by_a_reader_that_cannot_refund",
    ),
    "out of sequence": (
        "tests/mdb/test_cashless_start.py::test_out_of_sequence_in_operation_resets",
        FAILURES + "test_out_of_sequence_to_a_request_is_a_certain_no",
        FAILURES + "test_out_of_sequence_after_approval_waits_for_the_vend",
    ),
    "always idle": (
        ORDERS + "test_always_idle_request_without_a_session",
        ORDERS + "test_always_idle_still_honours_a_session",
        ORDERS + "test_always_idle_session_that_opens_during_the_request",
    ),
    "revalue": (ORDERS + "test_revalue",),
    "cash sale": (ORDERS + "test_cash_sales_are_told_where_wanted_and_never_twice",),
    "age verification": (ORDERS + "test_age_verification",),
    "reader cancel": (ORDERS + "test_reader_cancel",),
    # payouts, both ways, with each interruption
    "coins, one by one": (COINS + "test_by_coins",),
    "coins, one by one, busy for ever": (COINS + "test_busy_for_ever_is_ended_by_a_reset",),
    "coins, one by one, JUST RESET": (
        COINS + "test_what_was_proven_before_a_reset_counts_with_what_the_tubes_say_after_it",
    ),
    "coins, by value": (VALUE + "test_by_value",),
    "coins, by value, endless": (
        VALUE + "test_a_value_poll_that_never_ends_is_ended_by_a_reset",
        VALUE + "test_a_payout_has_a_last_minute_whatever_the_progress",
    ),
    "coins, by value, JUST RESET": (VALUE + "test_just_reset_in_the_middle_by_value",),
    "coins, both ways, unplugged": (VALUE + "test_unplugged_in_the_middle",),
    "bills, one kind after the other": (BILL_PAYOUT + "test_by_bills_highest_first",),
    "bills, interrupted": (
        BILL_PAYOUT + "test_jammed_in_the_middle_is_paid_in_part",
        BILL_PAYOUT + "test_just_reset_in_the_middle_is_settled_by_the_levels_and_not_certain",
        BILL_PAYOUT + "test_silence_in_the_middle",
        BILL_PAYOUT + "test_no_progress_is_cancelled_and_then_reset",
        BILL_PAYOUT + "test_a_bill_that_waits_to_be_taken_and_goes_to_the_box",
    ),
    "bills, by value": (BILL_PAYOUT + "test_by_value",),
    "bills, by value, interrupted": (
        BILL_PAYOUT + "test_by_value_jammed_in_the_middle",
        BILL_PAYOUT + "test_by_value_less_than_asked_for",
        BILL_PAYOUT + "test_by_value_just_reset_in_the_middle",
        BILL_PAYOUT + "test_by_value_silence_in_the_middle",
        BILL_PAYOUT + "test_by_value_a_lost_command_is_not_sent_again",
        BILL_PAYOUT + "test_by_value_no_progress_is_cancelled",
    ),
    # ccTalk
    "ccTalk, each request and an answer": (
        CC + "test_cctalk_frame.py::test_a_message_and_its_bytes",
    ),
    "ccTalk, CRC": (CC + "test_cctalk_frame.py::test_the_check_words_of_the_specification",),
    "ccTalk, event counters": (
        CC + "test_cctalk_event_log.py::test_how_many_events_lie_between",
        CC + "test_cctalk_coins.py::test_every_worked_credit_reading",
        CC + "test_cctalk_coins.py::test_event_counters",
        CC + "test_cctalk_coins.py::test_error_events",
        CC + "test_cctalk_bills.py::test_readings",
    ),
    "ccTalk, values by name": (
        CC + "test_cctalk_codes.py::test_coin_values",
        CC + "test_cctalk_codes.py::test_bill_values",
    ),
    "ccTalk, coin acceptor": (CC + "test_cctalk_coins.py::test_the_whole_start",),
    "ccTalk, bill validator": (CC + "test_cctalk_bills.py::test_the_whole_start",),
    "ccTalk, hopper": (
        CC + "test_cctalk_payout.py::test_the_whole_start",
        CC + "test_cctalk_payout.py::test_payouts",
        CC + "test_cctalk_verdict.py::test_the_verdict",
    ),
}
