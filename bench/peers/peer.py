"""Shared by the Python programs here.

PROGRAM SETTING ONE MANY DRAIN: how many jobs to enqueue one at a time, to enqueue in batches, and to drain. The program
connects to the server of libpq's environment, to an empty database. It prints one JSON object per measurement.
"""

import asyncio
import json
import sys
import time

BATCH = 1000

setting = sys.argv[1]
one, many, drain = map(int, sys.argv[2:5])
best = setting == "best"

now = time.perf_counter


def mail(number):
    """The same job as in pgq's own measurements."""
    return {"to": "ada@example.org", "number": number}


def batches(n):
    """The numbers of n jobs, in batches."""
    return [range(begin, min(begin + BATCH, n)) for begin in range(0, n, BATCH)]


def report(system, version, question, case, n, seconds, how):
    row = {"system": system, "version": version, "setting": setting, "how": how}
    row |= {"question": question, "case": case, "n": n, "seconds": seconds}
    print(json.dumps(row), flush=True)


def expect(what, is_, should_be):
    if is_ != should_be:
        sys.exit(f"{what}: {is_} instead of {should_be}")


class Tally:
    """Counts which of n jobs ran, and how often."""

    def __init__(self, n):
        self.n, self.runs, self.seen = n, 0, bytearray(n)

    def see(self, number):
        self.runs += 1
        self.seen[number] = 1

    def full(self):
        return self.runs >= self.n

    def check(self):
        expect("executions", self.runs, self.n)
        expect("different jobs executed", sum(self.seen), self.n)


async def until(true, tasks, pause=0.005):
    """Waits for a condition. Fails if a worker ends before."""
    while not true():
        await asyncio.sleep(pause)
        for task in tasks:
            if task.done():
                task.result()
                if not true():
                    sys.exit("a worker ended too early")


async def until_none(count, pause=0.005):
    while await count():
        await asyncio.sleep(pause)
