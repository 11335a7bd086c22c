"""The English catalogue: two display lines per message.

A tab sets what follows to the right edge. A line with several wordings, divided
by a newline, is shown in the first one that fits the display.
"""

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "idle": ("MAKE A SELECTION", "{tenders}"),
    "idle_exact": ("MAKE A SELECTION", "USE EXACT CHANGE"),
    "all_sold_out": ("SOLD OUT", "{support}"),
    "out_of_service": ("OUT OF SERVICE", "{support}"),
    "out_of_service_ref": ("OUT OF SERVICE", "REF {ref}"),
    "door_open": ("DOOR OPEN", ""),
    "door_open_credit": ("DOOR OPEN", "CREDIT\t{amount}"),
    "entry": ("SELECTION {selection}", ""),
    "price": ("{selection}\t{amount}", "INSERT MONEY"),
    "price_card": ("{selection}\t{amount}", "TAP CARD"),
    "two_prices": ("{selection} CASH\t{price}", "{selection} CARD\t{amount}"),
    "free": ("{selection}\tFREE", ""),
    "invalid": ("{selection} INVALID", ""),
    "sold_out": ("{selection} SOLD OUT", "CHOOSE ANOTHER"),
    "not_available": ("{selection} NOT AVAILABLE", "CHOOSE ANOTHER"),
    "not_now": ("NOT ON SALE NOW", "CHOOSE ANOTHER"),
    "credit": ("CREDIT\t{amount}", "MAKE SELECTION"),
    "hold": ("CREDIT\t{amount}", "SELECT OR RETURN"),
    "add": ("{selection}\t{price}", "PLEASE ADD {amount}\nADD {amount}"),
    "no_change": ("NO CHANGE FOR {selection}", "EXACT OR RETURN"),
    "overpay": ("KEEPS {amount}", "PRESS {selection} AGAIN"),
    "buy_first": ("PLEASE BUY FIRST", "CHANGE AFTER"),
    "vending": ("VENDING {selection}", "PLEASE WAIT"),
    "wait": ("PLEASE WAIT", ""),
    "change": ("PAYING CHANGE", "PLEASE WAIT"),
    "returning": ("RETURNING MONEY", ""),
    "thanks": ("THANK YOU", "TAKE PRODUCT"),
    "thanks_change": ("THANK YOU", "CHANGE {amount}"),
    "not_delivered": ("NOT DELIVERED", "CHOOSE OR RETURN"),
    "owed": ("WE OWE YOU {amount}\nWE OWE {amount}", "SPEND OR REF{ref}"),
    "claim": ("WE OWE YOU {amount}\nWE OWE {amount}", "REF {ref}"),
    "not_delivered_ref": ("NOT DELIVERED", "REF {ref}"),
    "card_refunded": ("NOT DELIVERED", "CARD REFUNDED"),
    "declined": ("CARD DECLINED", "OTHER PAYMENT?"),
    "age": ("AGE CHECK", "USE CARD READER"),
    "checking_bill": ("CHECKING BILL", ""),
    "bill_returned": ("BILL RETURNED", "CHOOSE AGAIN"),
    "revalued": ("THANK YOU", "{amount} ON CARD"),
    "session_credit": ("CREDIT\t{amount}", "{code} PUTS ON CARD\n{code} TO CARD"),
    "session": ("CARD READY", "MAKE SELECTION"),
    "session_funds": ("CARD\t{amount}", "MAKE SELECTION"),
    "tap": ("{selection}\t{amount}", "TAP CARD OR COIN"),
    "authorising": ("AUTHORISING", "PLEASE WAIT"),
}
