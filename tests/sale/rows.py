"""Every row of the behaviour tables, with the test that covers it: none may be forgotten.

`test` names a test function in this folder, or says in which issue the row is built.
"""

from typing import Final, NamedTuple


class Row(NamedTuple):
    section: int
    words: str
    test: str


PAY, MENU, REMOTE = "later: issue 3", "later: issue 6", "later: issue 7"

ROWS: Final = (
    Row(1, "R1 only a selection causes a vend", "test_s1_r1_money_never_causes_a_vend"),
    Row(1, "R2 accepted money can be given back", "test_s1_r2_only_returnable_coins_are_taken"),
    Row(1, "R3 no money changes tender", "test_s1_r3_cash_stays_cash"),
    Row(1, "R4 the price shown is the price charged", "test_s1_r4_the_price_is_fixed_at_selection"),
    Row(1, "R5 checks before anything moves", "test_s1_r5_a_refusal_reserves_and_moves_nothing"),
    Row(1, "R6 nothing is said that isn't known", "test_s1_r6_nothing_is_said_before_it_is_true"),
    Row(1, "R7 one customer at a time", "test_s1_r7_one_customer_at_a_time"),
    Row(1, "R8 keys while vending are ignored", "test_s1_r8_only_the_lever_is_remembered"),
    Row(1, "R9 every touch shows or beeps", "test_s1_r9_every_touch_is_noticed"),
    Row(1, "R10 a refusal takes nothing, 3 s", "test_s1_r10_a_refusal_says_why_for_3_s"),
    Row(1, "R11 devices on only when selling", "test_s1_r11_coins_are_off_when_nothing_is_sold"),
    #
    Row(2, "second key of a selection 5 s", "test_s2_times"),
    Row(2, "price shown without credit 4 s", "test_s2_times"),
    Row(2, "refusal message 3 s", "test_s2_times"),
    Row(2, "waiting for a card after a selection 30 s", PAY),
    Row(2, "card session open, no selection 60 s", PAY),
    Row(2, "authorising after the tap", PAY),
    Row(2, "stacking a bill 30 s", PAY),
    Row(2, "choose again 30 s", "test_s2_times"),
    Row(2, "multi-vend hold 15 s, restarted by key or coin", "test_s2_hold_is_restarted"),
    Row(2, "idle credit 5 min, restarted by any input", "test_s2_idle_time_is_restarted"),
    Row(2, "thank-you 4 s, cut short by any input", "test_s2_thanks_are_cut_short"),
    Row(2, "drop window until 3 s after the motor stop", "test_s2_drop_window"),
    Row(2, "claim reference 60 s", "test_s2_times"),
    #
    Row(3, "idle", "test_s3_idle"),
    Row(3, "idle, change can't be guaranteed", "test_s3_exact_change_sign"),
    Row(3, "card only / cash only", PAY),
    Row(3, "selection, no credit, no reader", "test_s3_price_without_credit"),
    Row(3, "selection, no credit, reader takes selection first", PAY),
    Row(3, "a coin arrives while waiting for the tap", PAY),
    Row(3, "card price differs from cash price", PAY),
    Row(3, "first key of two", "test_s3_first_key"),
    Row(3, "clear key", "test_s3_clear_key"),
    Row(3, "no such selection", "test_s3_no_such_selection"),
    Row(3, "sold out, one lost sale per slot and customer", "test_s3_sold_out"),
    Row(3, "jammed, missing, expired, too warm", "test_s3_not_available"),
    Row(3, "blocked by time", "test_s3_blocked_by_time"),
    Row(3, "age check needed", PAY),
    Row(3, "free product", "test_s3_free_product"),
    #
    Row(4, "coin credited", "test_s4_coin_credited"),
    Row(4, "credit reached the highest price", "test_s4_maximum_credit"),
    Row(4, "coin rejected, slug, lost", "test_s4_no_credit_for_what_came_back"),
    Row(4, "bill read", PAY),
    Row(4, "bill accepted below the highest price", PAY),
    Row(4, "bill that reaches the highest price", PAY),
    Row(4, "selection with a held bill", PAY),
    Row(4, "credit too small", "test_s4_credit_too_small"),
    Row(4, "change can't be paid: refused", "test_s4_change_not_payable"),
    Row(4, "change can't be paid: overpay_up_to", "test_s4_overpay_is_announced_and_confirmed"),
    Row(4, "delivered, credit left: change", "test_s4_change_at_once"),
    Row(4, "delivered, credit left: multi-vend", "test_s4_multi_vend"),
    Row(4, "force-vend", "test_s4_force_vend"),
    Row(4, "coin while vending or paying", "test_s4_rolling_coin"),
    Row(4, "cash and card", PAY),
    #
    *(
        Row(5, words, PAY)
        for words in (
            "tap first",
            "balance",
            "selection in a session",
            "approved, same or other amount",
            "denied",
            "reader cancels",
            "delivered",
            "not delivered",
            "reader lost after approval, before delivery",
            "reader lost after delivery",
            "two readers tapped",
        )
    ),
    *(
        Row(5, words, REMOTE)
        for words in (
            "app order, machine idle",
            "app order while anyone else is served",
            "app order for a product in several slots",
            "app order, quantity > 1",
            "app order approved too late, or customer gone",
        )
    ),
    #
    Row(6, "motor did not leave home / no drop", "test_s6_extra_turns_then_failed"),
    Row(6, "failed, cash", "test_s6_failed_with_cash"),
    Row(6, "drop late, before the refund", "test_s6_late_drop_counts"),
    Row(6, "drop after the refund", "test_s6_drop_after_the_refund"),
    Row(6, "two drops for one vend", "test_s6_two_drops_for_one_vend"),
    Row(6, "drop sensor blocked before the vend", "test_s6_drop_sensor_blocked"),
    Row(6, "third refund within 10 min", "test_s6_anti_jackpot"),
    Row(6, "payout incomplete", "test_s6_payout_incomplete"),
    Row(6, "idle credit, 5 min", "test_s6_idle_credit"),
    Row(6, "changer dead with coin credit", "test_s6_changer_dead"),
    Row(6, "out of service with credit", "test_s6_out_of_service_with_credit"),
    Row(6, "keypad dead", "test_s6_keypad_dead"),
    Row(6, "display dead", "test_s6_display_dead"),
    Row(6, "no network, backend, clock or broker", "test_s6_no_network_is_no_report"),
    #
    Row(7, "idle, no money", "test_s7_lever"),
    Row(7, "half-typed selection", "test_s7_lever_with_a_half_typed_selection"),
    Row(7, "cash credit", "test_s7_lever"),
    Row(7, "cash credit, force-vend: message only", "test_s4_force_vend"),
    Row(7, "bill being read", PAY),
    Row(7, "card session, nothing selected", PAY),
    Row(7, "waiting for the tap, or authorising", PAY),
    Row(7, "approved, motor not yet started", PAY),
    Row(7, "bill being stacked for a selection", PAY),
    Row(7, "dispensing, delivered", "test_s7_lever_while_dispensing_delivered"),
    Row(7, "dispensing, failed", "test_s7_lever_while_dispensing_failed"),
    Row(7, "failed vend, choose again", "test_s7_lever"),
    Row(7, "multi-vend hold", "test_s7_lever"),
    Row(7, "paying out", "test_s7_lever_while_paying_out"),
    Row(7, "claim on display", "test_s7_lever_on_a_claim"),
    Row(7, "out of service with credit", "test_s7_lever_out_of_service_with_credit"),
    Row(7, "door open", "test_s7_lever_with_the_door_open"),
    Row(7, "reported several times, held or stuck", "test_s7_lever_stuck"),
    #
    Row(8, "door opens, credit there", "test_s8_door_with_credit"),
    Row(8, "door opens while dispensing", "test_s8_door_while_dispensing"),
    Row(8, "door opens while paying", "test_s8_door_while_paying"),
    Row(8, "door open, coins are fill", "test_s8_coins_with_the_door_open_are_fill"),
    Row(8, "manual dispense booked as such", "test_s8_manual_dispense"),
    Row(8, "test vend / motor test", MENU),
    Row(8, "free vends are no sales for money", "test_s8_free_is_its_own_thing"),
    Row(8, "price changed during a session", "test_s8_prices_wait_for_the_customer"),
    #
    Row(9, "coin not yet committed", "test_s9_coin_in_flight"),
    Row(9, "credit, nothing selected", "test_s9_power_cut"),
    Row(9, "bill in escrow or moving", PAY),
    Row(9, "card asked, no answer seen", PAY),
    Row(9, "card approved, intent not committed", PAY),
    Row(9, "intent committed, left home not seen, at home", "test_s9_power_cut"),
    Row(9, "left home seen, not at home", "test_s9_power_cut"),
    Row(9, "left home seen, at home again, drop sensor", "test_s9_power_cut"),
    Row(9, "... from the 2nd time in 24 h on", "test_s9_second_time_in_a_day"),
    Row(9, "same, no drop sensor", "test_s9_power_cut"),
    Row(9, "drop committed, change not paid", "test_s9_power_cut"),
    Row(9, "delivered, VEND SUCCESS not confirmed", PAY),
    Row(9, "during payout", "test_s9_during_payout"),
    Row(9, "app order accepted, intent not committed", REMOTE),
)
