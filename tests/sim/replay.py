"""One seeded history of a cabinet under a naive controller, printed as a digest of every edge."""

import hashlib
import random
import sys

from gpiozero import OutputDevice

from hw_sim.cabinet import Cabinet
from hw_sim.loop import VirtualLoop
from hw_sim.pins import WorldFactory
from hw_sim.plan import sample_plan
from hw_sim.spiral import Fate

ROWS, COLUMNS = {"A": 4, "B": 17}, (10, 9, 11)


def history(seed: int) -> str:
    loop = VirtualLoop()
    cabinet = Cabinet(sample_plan(), loop, seed)
    digest = hashlib.sha256()
    cabinet.header.watch(
        lambda pin, level, when: digest.update(f"{pin} {level} {when!r};".encode())
    )
    factory = WorldFactory(cabinet.header, cabinet.clock)
    lines = {pin: OutputDevice(pin, pin_factory=factory) for pin in (*ROWS.values(), *COLUMNS)}
    heartbeat = OutputDevice(23, pin_factory=factory)
    rng = random.Random(seed)
    for spiral in cabinet.slots:
        spiral.fates.extend(rng.choices(list(Fate), k=3))
    for _ in range(25):
        chosen = (rng.choice(sorted(ROWS.values())), rng.choice(COLUMNS))
        cabinet.press(rng.choice(cabinet.keypad.legends))
        for pin in chosen:
            lines[pin].on()
        for _ in range(rng.randrange(15, 45)):
            heartbeat.toggle()
            loop.run_for(0.1)
        for pin in chosen:
            lines[pin].off()
        loop.run_for(5)
    for fallen in cabinet.tray:
        digest.update(repr(fallen).encode())
    factory.close()
    loop.close()
    return f"{len(cabinet.tray)} {digest.hexdigest()}"


if __name__ == "__main__":
    print(history(int(sys.argv[1])))
