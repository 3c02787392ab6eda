#!/usr/bin/env python3
"""Which fault happens to which request. Not a program; `proxy.py` carries the faults out."""
import random
from dataclasses import dataclass, field

# What each fault is, and what a client that tries again may expect: `again` says whether a second try finds all well, so
# that a fault alone is no reason to fail.
FAULTS = {
    "500": ("500 InternalError, not passed on", True),
    "502": ("502 with a page of HTML, not passed on", True),
    "503": ("503 SlowDown, not passed on", True),
    "503-early": ("503 SlowDown before the request's body was read, then a closed connection", True),
    "429": ("429 TooManyRequests with Retry-After, not passed on", True),
    "408": ("408 RequestTimeout, not passed on", True),
    "409": ("409 OperationAborted, not passed on", True),
    "412": ("412 PreconditionFailed, not passed on", False),
    "403-expired": ("403 ExpiredToken, not passed on", False),
    "403-skewed": ("403 RequestTimeTooSkewed, with the right Date, not passed on", True),
    "404": ("404 NoSuchKey, not passed on", False),
    "307": ("307 TemporaryRedirect to the same place, not passed on", False),
    "200-error": ("200 with an error as body, not passed on", False),
    "200-empty": ("200 with an empty body, not passed on", False),
    "reset-request": ("connection reset in the middle of the request, not passed on", True),
    "reset-response": ("connection reset in the middle of the response", True),
    "dropped": ("passed on, and the connection closed instead of an answer", True),
    "short": ("a body shorter than Content-Length, then a closed connection", True),
    "short-whole": ("a body that was cut, with a Content-Length that says so", False),
    "flip": ("one bit of the response's body is another", False),
    "flip-request": ("one bit of the request's body is another", False),
    "wrong-range": ("another range of the object, said to be the right one", False),
    "wrong-range-told": ("another range of the object, with its own Content-Range", False),
    "whole": ("the whole object with 200 instead of a range", False),
    "list-lacks": ("a listing without one of its keys", False),
    "stall": ("nothing for some seconds, then all is well", True),
    "stall-body": ("half the response's body, nothing for some seconds, then the rest", True),
    "hang": ("half the response's body and then nothing, for ever", True),
    "duplicate": ("passed on twice, the second answer is given", True),
}


@dataclass
class Plan:
    """A fault at some requests, counted from 0 since the plan was set; or a random one at each with some probability."""
    at: dict = field(default_factory=dict)
    # From this request on, each has the fault `fault`: a server that goes away.
    since: int | None = None
    fault: str | None = None
    probability: float = 0.0
    seed: int = 0
    among: tuple = tuple(FAULTS)
    # Seconds added to the way there and back; bytes per second for all connections together, 0 for any number.
    latency: float = 0.0
    bandwidth: float = 0.0
    # How long a stall lasts, in seconds.
    stall: float = 1.0

    @classmethod
    def read(cls, value):
        """Reads a plan from JSON; an unknown member or fault is an error."""
        unknown = set(value) - set(cls.__dataclass_fields__)
        if unknown:
            raise ValueError(f"a plan has no {', '.join(sorted(unknown))}")
        plan = cls(**value)
        plan.at = {int(index): fault for index, fault in plan.at.items()}
        plan.among = tuple(plan.among)
        for fault in [*plan.at.values(), *plan.among, *([plan.fault] if plan.fault else [])]:
            if fault not in FAULTS:
                raise ValueError(f"there is no fault '{fault}'; there are: {', '.join(FAULTS)}")
        return plan

    def choose(self, index):
        """The fault of a request, or None."""
        if index in self.at:
            return self.at[index]
        if self.since is not None and index >= self.since:
            return self.fault
        source = random.Random(f"{self.seed}/{index}")
        return source.choice(self.among) if source.random() < self.probability else None

    def draw(self, index):
        """Random numbers for carrying out the fault of a request, the same for the same plan."""
        return random.Random(f"{self.seed}/{index}/how")
