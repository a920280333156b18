"""cronsim_oracle.py PROGRAM TABLE [N]: compares PROGRAM (tests/programs/cron_times.cpp) with cronsim.

It checks the rows of TABLE, and for each zone of the system each change of its offset from 1970 to 2037: all times from
three hours before to three hours after it; with N only each Nth change. Differences are allowed only where `known_difference` names the reason.
"""

import collections
import datetime
import itertools
import os
import re
import struct
import subprocess
import sys
import zoneinfo

from cronsim import CronSim, CronSimError

UTC = datetime.timezone.utc
HOURS_3 = 3 * 3600
FIRST, LAST = 0, 2145916800  # 1970 to 2037
MACROS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
FIXED = ["30 2 * * *", "0 0 * * *", "15,45 0-23 * * *", "5 1,3,23 * * *", "0,59 0-23 * * *", "0 2-3 * * 0-6"]
REAL = ["*/30 * * * *", "0 */2 * * *", "7 * * * *", "*/10 0-4 * * *", "*/20 22,23,0 * * *", "0 */3 * * *"]


def ask(program, questions):
    answer = subprocess.run([program], input="\n".join(questions) + "\n", capture_output=True, text=True, check=True)
    return answer.stdout.splitlines()


def follows_real_time(expression):
    fields = expression.split()
    return any(f.startswith("*") for f in fields[: len(fields) - 3])


def has_star_rule(expression):
    """Both days are restricted, one by a step from a star: Debian's cron wants both, the standard one of them."""
    days = [expression.split()[-3], expression.split()[-1]]
    return "*" not in days and any(d.startswith("*") for d in days)


def unsupported(expression):
    if expression.startswith("@every"):
        return "cronsim has no @every"
    if re.search(r"\d[wW]", expression.split()[-3]):
        return "cronsim has no nearest weekday"
    if has_star_rule(expression):
        return "the star rule for days"
    return None


class NeverEnds(Exception):
    pass


def advancing(times):
    """The times, unless one is not later than the one before: then cronsim goes round in circles."""
    last = None
    for t in times:
        if last is not None and t <= last:
            raise NeverEnds
        last = t
        yield t


def cronsim_times(expression, zone, after, count=None, until=None):
    start = datetime.datetime.fromtimestamp(after, UTC)
    simulator = CronSim(expression, start if zone.key == "UTC" else start.astimezone(zone))
    times = advancing(int(t.timestamp()) for t in simulator)
    times = itertools.dropwhile(lambda t: t <= after, times)
    if count is not None:
        return list(itertools.islice(times, count))
    return list(itertools.takewhile(lambda t: t <= until, times))


def check_table(program, table):
    with open(table) as file:
        rows = [line.rstrip("\n").split("|") for line in file if not line.startswith("#")]
    answers = ask(program, ["|".join(row[:4]) for row in rows])
    assert len(answers) == len(rows)
    left_out, wrong = collections.Counter(), 0
    for (name, after, count, expression, _), answer in zip(rows, answers):
        expression = MACROS.get(expression, expression)
        why = unsupported(expression)
        fields = expression.split()
        if not why and len(fields) == 6 and name != "UTC" and not follows_real_time(expression):
            # cronsim has fixed times only in expressions with five fields.
            if fields[0] == "0":
                expression = " ".join(fields[1:])
            else:
                why = "cronsim has no fixed times with seconds"
        if why:
            left_out[why] += 1
            continue
        zone = zoneinfo.ZoneInfo(name)
        expected = cronsim_times(expression.replace("?", "*"), zone, int(after), count=int(count))
        if expected != [int(t) for t in answer.split()]:
            print(f"{name}, after {after}, {expression}: cronsim has {expected}, the library {answer}")
            wrong += 1
    print(f"cronsim: {len(rows) - sum(left_out.values())} rows of the table compared; left out: {dict(left_out)}")
    return wrong


def changes_of(path):
    """The times and offsets in a file of the system's database: [(time, offset before, offset after)]."""
    with open(path, "rb") as file:
        data = file.read()
    if data[:4] != b"TZif" or data[4:5] < b"2":
        return []

    def counts(at):
        return struct.unpack(">6l", data[at + 20 : at + 44])

    isut, isstd, leap, time, kind, char = counts(0)
    at = 44 + time * 5 + kind * 6 + char + leap * 8 + isstd + isut
    isut, isstd, leap, time, kind, char = counts(at)
    at += 44
    times = struct.unpack(f">{time}q", data[at : at + 8 * time])
    kinds = data[at + 8 * time : at + 9 * time]
    offsets = [struct.unpack(">l", data[p : p + 4])[0] for p in range(at + 9 * time, at + 9 * time + 6 * kind, 6)]
    found = []
    for i in range(1, time):
        before, after = offsets[kinds[i - 1]], offsets[kinds[i]]
        if before != after and FIRST <= times[i] < LAST:
            found.append((times[i], before, after))
    return found


def each_change():
    """(name, change) of each zone; zones with the same file come once."""
    seen = set()
    for name in sorted(zoneinfo.available_timezones()):
        for folder in zoneinfo.TZPATH:
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                break
        else:
            continue
        if name.startswith(("posix/", "right/")) or name in ("localtime", "posixrules", "Factory"):
            continue
        changes = tuple(changes_of(path))
        if changes and changes not in seen:
            seen.add(changes)
            for change in changes:
                yield name, change


def by_definition(expression, zone, after, until):
    """Each second of the span whose local time fits: for expressions that follow real time."""
    plain = CronSim(expression, datetime.datetime(2000, 1, 1, tzinfo=UTC))
    found = []
    for t in range(after + 1, until + 1):
        local = datetime.datetime.fromtimestamp(t, zone)
        if local.second == 0 and local.minute in plain.minutes and local.hour in plain.hours:
            if local.month in plain.months and plain.match_day(local.date()):
                found.append(t)
    return found


def known_difference(expression, zone, change, span, expected, answer):
    """Why cronsim and the library may differ here, or None."""
    time, before, after = change
    if expected is None:
        return "cronsim never ends" if answer == by_definition(expression, zone, *span) else None
    if follows_real_time(expression):
        if (after - before) % 3600 or before % 3600 or (time + before) % 3600:
            if answer == by_definition(expression, zone, *span):
                return "cronsim steps by whole hours over a change that is not at, or not by, whole hours"
    elif after > before and (time + after) % 60:
        whole_minute = time + -(time + after) % 60
        if expected == sorted({whole_minute if t == time else t for t in answer}):
            return "cronsim ends a gap at a whole minute"
    return None


def check_changes(program, each):
    questions, cases = [], []
    for name, change in itertools.islice(each_change(), 0, None, each):
        span = change[0] - HOURS_3 - 1, change[0] + HOURS_3
        for expression in FIXED + REAL:
            questions.append(f"{name}|{span[0]}|..{span[1]}|{expression}")
            cases.append((name, change, span, expression))
    answers = ask(program, questions)
    assert len(answers) == len(cases)
    known, wrong = collections.Counter(), 0
    for (name, change, span, expression), answer in zip(cases, answers):
        zone = zoneinfo.ZoneInfo(name)
        if answer.startswith("error"):
            print(f"{name}, at {change}, {expression}: {answer}")
            wrong += 1
            continue
        found = [int(t) for t in answer.split()]
        try:
            expected = cronsim_times(expression, zone, span[0], until=span[1])
        except NeverEnds:
            expected = None
        if expected == found:
            continue
        why = known_difference(expression, zone, change, span, expected, found)
        known[why or "unknown"] += 1
        if not why:
            wrong += 1
            if wrong <= 30:
                print(f"{name}, at {change}, {expression}: cronsim has {expected}, the library {found}")
    zones = len({name for name, *_ in cases})
    print(f"cronsim: {len(cases)} spans around changes of {zones} zones compared; differences: {dict(known)}")
    return wrong + (0 if cases else 1)


def check_refused(program):
    """What cronsim refuses, the library refuses too."""
    refused = ["50-10 * * * *", "0 0 31 2 *", "0 0 30,31 2 *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *",
               "* * * 13 *", "* * * 0 *", "* * * * 8", "*/0 * * * *", "a * * * *", "* * * FOO *", "* * * * ABC",
               "1,,2 * * * *", "1- * * * *", "-1 * * * *", "/5 * * * *", "* * * *", "* * * * * * *", "", "* * * * 1#6",
               "* * * * 1#0", "* * L-3 * *", "* L * * *", "1.5 * * * *", "* * * * FRI-SUN", "1/ * * * *"]
    answers = ask(program, [f"UTC|0|1|{e}" for e in refused])
    wrong = 0
    for expression, answer in zip(refused, answers):
        try:
            CronSim(expression, datetime.datetime(2000, 1, 1, tzinfo=UTC))
            print(f"cronsim accepts {expression!r}")
            wrong += 1
        except CronSimError:
            pass
        if not answer.startswith("error"):
            print(f"the library accepts {expression!r}")
            wrong += 1
    return wrong


def main():
    program, table = sys.argv[1:3]
    each = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    wrong = check_table(program, table) + check_refused(program) + check_changes(program, each)
    sys.exit(1 if wrong else 0)


main()
