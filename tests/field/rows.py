"""Every row of the field notes, with the tests that ask for it: none may be forgotten.

Tests of this folder are named after their row; the others cover it on another level, by tables
of bytes or of reports. A row that is not about money says so, and what is built later says where.
"""

from typing import Final, NamedTuple

OTHER = "not about payment"  # motor boards, files, networks: held by their own rooms
LATER = "later: issue "

COINS, BILLS, CARDS = "test_field_coins.py::", "test_field_bills.py::", "test_field_cards.py::"
PULSE_F = "test_field_pulse.py::"
BUS, CCTALK_F, SALE_F = "test_field_bus.py::", "test_field_cctalk.py::", "test_field_sale.py::"
MDB, CCTALK, SIM = "tests/mdb/", "tests/cctalk/", "tests/sim/"
SALE, DAEMON, CORE = "tests/sale/", "tests/daemon/", "tests/core/"


class Row(NamedTuple):
    """`payment`: the row needs a test named after it. `tests`: by module and name."""

    number: int
    words: str
    payment: bool
    tests: tuple[str, ...]


ROWS: Final = (
    Row(1, "credit at escrow, then returned; escrow, escrow, stacked", True, (
        BILLS + "test_row_01_a_bill_in_escrow_is_no_money_and_comes_back_as_itself",
        BILLS + "test_row_01_escrow_escrow_stacked_is_one_credit",
        BILLS + "test_row_01_stacked_told_twice_because_the_ack_was_lost_is_one_credit",
        SALE_F + "test_row_01_a_vend_on_a_bill_in_escrow_survives_a_crash_with_one_credit",
        MDB + "test_bill_poll.py::test_escrow_escrow_stacked_is_one_credit",
        SALE + "test_sale_bills.py::test_s4_selection_with_a_held_bill",
        SALE + "test_sale_power_cut_pay.py::test_s9_bill_in_escrow_or_moving",
    )),
    Row(2, "the stacked event of the previous life", True, (
        BILLS + "test_row_02_the_stacked_event_of_the_previous_life_comes_once",
        SALE_F + "test_row_02_the_stacked_event_of_the_previous_life_is_this_customers_credit",
        MDB + "test_bill_start.py::test_a_bill_that_the_last_life_was_not_told_of_is_credited",
    )),
    Row(3, "payout stops with 02 04 07 or 0B in the middle", True, (
        COINS + "test_row_03_a_payout_stops_midway_and_what_left_is_known",
        COINS + "test_row_03_a_tube_that_is_full_and_holds_nothing_is_out_of_use",
        BILLS + "test_row_03_a_payout_of_bills_stops_midway_and_what_left_is_known",
        SALE_F + "test_row_03_what_was_not_paid_is_still_owed_after_a_power_cut",
        SALE + "test_sale_payouts.py::test_s6_payout_incomplete",
    )),
    Row(4, "a payout value poll that never ends", True, (
        COINS + "test_row_04_a_value_poll_that_never_ends_is_ended_by_a_reset_and_the_tubes",
        BILLS + "test_row_04_a_payout_of_bills_that_never_ends_is_ended",
        MDB + "test_mdb_pay_by_value.py::test_a_payout_has_a_last_minute_whatever_the_progress",
    )),
    Row(5, "cancel during a payout; a note stuck on its way", True, (
        COINS + "test_row_05_the_lever_during_a_payout_blocks_nothing",
        BILLS + "test_row_05_a_bill_that_is_stuck_on_its_way_blocks_nothing_for_ever",
        SALE_F + "test_row_05_cancel_while_change_is_paid_locks_nothing",
    )),
    Row(6, "everything offline: reset storm, log floods", True, (
        BUS + "test_row_06_all_devices_offline_for_long_is_four_events_and_no_storm",
        BUS + "test_row_06_one_dead_device_slows_down_no_other",
        SALE_F + "test_row_06_everything_offline_is_said_on_the_display_and_once_to_the_fleet",
    )),
    Row(7, "an overlong diagnostic reply; a coin in the wrong tube", True, (
        COINS + "test_row_07_a_diagnostic_answer_that_is_too_long_and_odd_stops_no_start",
        COINS + "test_row_07_a_coin_in_the_wrong_tube_is_credited_as_what_it_is",
        MDB + "test_mdb_start.py::test_any_diagnostics_answer_will_do",
    )),
    Row(8, "BEGIN SESSION on many polls, POLL instead of ACK", True, (
        CARDS + "test_row_08_begin_session_again_and_again_is_one_session",
        CARDS + "test_row_08_a_reader_that_does_not_hear_our_ack_says_it_again_and_it_counts_once",
        MDB + "test_cashless_sessions.py::test_begin_session_again_and_again_is_one_session",
    )),
    Row(9, "END SESSION directly, on POLL, or never", True, (
        CARDS + "test_row_09_end_session_comes_with_the_answer_or_with_a_poll",
        CARDS + "test_row_09_end_session_never_comes_and_a_reset_ends_it",
    )),
    Row(10, "reset loops, setup loops", True, (
        BUS + "test_row_10_a_changer_that_resets_itself_again_and_again_gets_no_tight_loop",
        CARDS + "test_row_10_a_reader_that_resets_itself_again_and_again_gets_no_tight_loop",
        MDB + "test_cashless_start.py::test_reset_loops_are_slowed_down_and_the_level_lowered",
        MDB + "test_mdb_start.py::test_a_setup_that_never_comes_means_a_rest_not_a_loop",
    )),
    Row(11, "four bytes of BEGIN SESSION; level 2 messages; config on POLL", True, (
        CARDS + "test_row_11_four_bytes_begin_a_session_and_the_rest_comes_on_poll",
        MDB + "test_cashless_sessions.py::test_level_1_reader_with_level_2_messages",
        MDB + "test_cashless_start.py::test_everything_on_poll",
    )),
    Row(12, "another amount than asked; a token", True, (
        CARDS + "test_row_12_another_amount_than_asked_is_the_amount_that_is_told",
        SALE_F + "test_row_12_the_audit_has_the_amount_that_was_approved",
        SALE + "test_sale_cards_late.py::test_a_token_is_worth_one_vend",
    )),
    Row(13, "silent while it refunds; 0A Cx", True, (
        CARDS + "test_row_13_silent_while_it_refunds_or_unable_to",
        SALE_F + "test_row_13_a_refund_that_is_not_confirmed_is_due",
        SALE + "test_sale_cards.py::test_s5_not_delivered_and_not_refunded",
    )),
    Row(14, "RESET between APPROVED and SUCCESS", True, (
        CARDS + "test_row_14_a_reset_between_approved_and_success_counts_as_sold",
        CARDS + "test_row_14_silent_after_the_approval_gets_failure_before_any_reset",
        SALE_F + "test_row_14_a_crash_before_the_product_falls_is_a_failure_before_any_reset",
        SALE_F + "test_row_14_a_crash_after_the_product_fell_refunds_nothing",
    )),
    Row(15, "a reader drops its session; its own time-out", True, (
        CARDS + "test_row_15_a_reader_may_be_silent_as_long_as_it_said",
        CARDS + "test_row_15_a_session_that_the_reader_drops_is_over_once",
    )),
    Row(16, "a late answer counted for the next order", False, (
        SALE + "test_sale_power_cut.py"
        "::test_s9_during_payout_an_answer_of_the_previous_life_counts_for_nothing",
        SALE + "test_sale_wrong.py::test_a_late_answer_is_never_taken_for_a_newer_turn",
        SALE + "test_sale_cards_late.py::test_answers_to_nothing_mean_nothing",
    )),
    Row(17, "an unknown status is no failure", True, (
        COINS + "test_row_17_status_bytes_that_nobody_has_defined_are_no_failure",
        CCTALK_F + "test_row_17_register_bits_that_nobody_has_defined_are_no_failure",
    )),
    Row(18, "a jammed column pauses the board", False, (OTHER,)),
    Row(19, "slot numbers of the board", False, (OTHER,)),
    Row(20, "counts that are not what lies there; coins filled by hand", True, (
        COINS + "test_row_20_coins_filled_by_hand_are_unknown_until_the_changer_counts_them",
        MDB + "test_mdb_poll.py"
        "::test_a_manual_fill_is_fetched_and_the_tubes_tell_what_they_hold",
        SALE + "test_sale_door.py::test_s8_coins_with_the_door_open_are_fill",
    )),
    Row(21, "a late payment dispenses to nobody", True, (
        CARDS + "test_row_21_an_approval_that_crosses_the_cancel_is_given_back",
        SALE_F + "test_row_21_an_approval_that_comes_too_late_dispenses_to_nobody",
        SALE_F + "test_row_21_the_customer_who_gave_up_gets_nothing_and_pays_nothing",
        SALE + "test_sale_cards_late.py::test_approved_after_a_denial",
    )),
    Row(22, "refunds by hand, with a record of who did it", False, (LATER + "6",)),
    Row(23, "a forced dispense that always succeeds", False, (LATER + "6",)),
    Row(24, "identifiers in the wrong case", False, (
        "tests/config/test_problems.py::test_each_error_names_key_value_and_remedy",
    )),
    Row(25, "prices change during a session", True, (
        CARDS + "test_row_25_new_prices_are_told_to_the_reader_when_it_rests",
        SALE + "test_sale_door.py::test_s8_prices_wait_for_the_customer",
        SALE + "test_sale_rules.py::test_s1_r4_the_price_is_fixed_at_selection",
    )),
    Row(26, "a drop after the window", False, (
        SALE + "test_sale_wrong.py::test_s6_late_drop_counts",
        SALE + "test_sale_wrong.py::test_s6_drop_after_the_refund",
    )),
    Row(27, "a sensor blocked to get refunds", False, (
        SALE + "test_sale_wrong.py::test_s6_anti_jackpot",
    )),
    Row(28, "two fast coins merge; the first pulse is spurious", True, (
        PULSE_F + "test_row_28_two_fast_coins_merge_and_are_worth_something_only_one_way",
        PULSE_F + "test_row_28_a_slow_coin_is_one_coin_and_a_spurious_pulse_is_none",
        PULSE_F + "test_row_28_a_sensor_that_counts_for_ever_is_no_money",
        SIM + "test_pulse_acceptor.py"
        "::test_coins_so_quick_that_their_trains_run_together",
        SIM + "test_pulse_acceptor.py::test_the_pulse_of_waking_up_is_no_coin",
        SIM + "test_pulse_trains.py::test_a_jammed_sensor_does_not_count_for_ever",
        SIM + "test_pulse_trains.py::test_numbers_of_pulses",
    )),
    Row(29, "FF doubled on the way; late answers", True, (
        BUS + "test_row_29_every_byte_passes_a_real_serial_line_as_it_is",
        MDB + "test_mdb_bus.py::test_an_overdue_answer_is_fetched_not_given_up",
    )),
    Row(30, "echo missing or half; counter jumps, counter 0", True, (
        CCTALK_F + "test_row_30_half_an_echo_or_none_at_all_costs_no_coin",
        CCTALK + "test_cctalk_half_duplex.py::test_what_comes_back",
        CCTALK + "test_cctalk_event_log.py::test_more_than_five_are_lost_and_counted",
        CCTALK + "test_cctalk_event_log.py::test_zero_is_a_power_failure",
        CCTALK + "test_cctalk_end_to_end.py::test_six_coins_between_two_polls",
    )),
    Row(31, "a hopper without power in a payout; a crash after 167", True, (
        CCTALK_F + "test_row_31_the_daemon_and_the_hopper_die_between_167_and_166",
        CCTALK + "test_cctalk_hopper_pays.py"
        "::test_the_daemon_dies_between_the_command_and_its_outcome",
        CCTALK + "test_cctalk_hopper_pays.py::test_a_hopper_loses_power_in_a_payout",
        CCTALK + "test_cctalk_hopper_pays.py::test_a_dispense_command_that_goes_wrong",
        CCTALK + "test_cctalk_kept.py::test_a_payout_of_another_life_is_told_before_the_tubes_are",
    )),
    Row(32, "audit files that are wrong", False, (LATER + "9",)),
    Row(33, "audit answers that come too fast", False, (LATER + "9",)),
    Row(34, "the lamp is wrong when only big coins are left", True, (
        SALE_F + "test_row_34_only_big_coins_left_means_exact_change",
        COINS + "test_row_34_a_full_tube_sends_its_coins_to_the_box_where_no_change_comes_from",
        SALE + "test_sale_keys.py::test_s3_exact_change_sign",
    )),
    Row(35, "credit that was there before the power was lost", True, (
        SALE_F + "test_row_35_credit_is_there_again_after_a_power_cut_and_can_be_had_back",
        SALE_F + "test_row_35_a_coin_that_lands_while_nobody_polls_is_credit_afterwards",
        SALE + "test_sale_power_cut.py::test_s9_power_cut",
    )),
    Row(36, "remote commands need freshness", False, (LATER + "7",)),
    Row(37, "an update that fails silently", False, (OTHER,)),
    Row(38, "a remote price change on some boards only", False, (LATER + "7",)),
)  # fmt: skip
