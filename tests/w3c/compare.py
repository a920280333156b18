"""compare.py PROGRAM: compares tests/programs/trace_context.cpp with OpenTelemetry for Python, both ways.

The headers that PROGRAM makes are read by OpenTelemetry, and headers of spans of OpenTelemetry by PROGRAM. Then both read
thousands of headers, most of them with a mistake. They must agree, except where a rule of `differences` says why not. A
rule that nothing needs any more is an error, too.
"""

import logging
import random
import subprocess
import sys

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

logging.disable(logging.CRITICAL)
program = sys.argv[1]
propagator = TraceContextTextMapPropagator()


def ask(pairs):
    text = "".join(f"{p.encode('latin-1').hex()} {s.encode('latin-1').hex()}\n" for p, s in pairs)
    out = subprocess.run([program], input=text, capture_output=True, text=True, check=True).stdout
    return [decode(line) for line in out.splitlines()]


def decode(line):
    if line == "-":
        return None
    parent, state = line.split(" ")
    return bytes.fromhex(parent).decode("latin-1"), bytes.fromhex(state).decode("latin-1")


def read(parent, state):
    """What OpenTelemetry reads, as (trace id, span id, flags, members)."""
    carrier = {"traceparent": parent}
    if state:
        carrier["tracestate"] = state
    context = trace.get_current_span(propagator.extract(carrier)).get_span_context()
    if not context.is_valid:
        return None
    return (trace.format_trace_id(context.trace_id), trace.format_span_id(context.span_id), int(context.trace_flags),
            list((context.trace_state or {}).items()))


def of_answer(answer):
    """The same of an answer of PROGRAM."""
    if answer is None:
        return None
    parent, state = answer
    assert len(parent) == 55 and parent[:3] == "00-", parent
    members = [m.strip(" \t").split("=", 1) for m in state.split(",") if m.strip(" \t")]
    return parent[3:35], parent[36:52], int(parent[53:], 16), [(k, v) for k, v in members]


def fits(members):
    """What is left of a state that is passed on with at most 512 characters."""
    texts = [f"{k}={v}" for k, v in members]
    if len(",".join(texts)) <= 512:
        return members
    kept, size = [], -1
    for (k, v), text in zip(members, texts):
        if len(text) > 128:
            continue
        if size + 1 + len(text) > 512:
            break
        kept.append((k, v))
        size += 1 + len(text)
    return kept


# Why the implementations may differ: a name, and whether it explains this case.
def blanks(parent, _, theirs, mine):
    return theirs is not None and mine is None and parent != parent.strip(" \t\n")


def long_parent(parent, _, theirs, mine):
    return theirs is None and mine is not None and len(parent) > 512


def long_state(_, state, theirs, mine):
    return mine is not None and theirs is not None and len(state) > 512 and mine[3] == fits(theirs[3]) != theirs[3]


def flags(_, __, theirs, mine):
    return mine is not None and theirs is not None and theirs[2] > 1 and mine[2] == theirs[2] & 1


differences = {
    "OpenTelemetry accepts blanks around a traceparent": blanks,
    "OpenTelemetry ignores a traceparent of more than 512 characters, of a later version": long_parent,
    "pgq passes on at most 512 characters of a tracestate": long_state,
    "OpenTelemetry keeps flags that level 1 does not define": flags,
}

good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
states = ["", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", "a=1, b=2 ,,", "t@s=x", "a=1,a=2", "a", "A=1", "a=1=", "a= ", "=1",
          ",".join(f"k{i}=v" for i in range(32)), ",".join(f"k{i}=v" for i in range(33)),
          ",".join(f"k{i}={'v' * 60}" for i in range(12)), "a=" + "v" * 256, "a=" + "v" * 257, "k" * 256 + "=1", "k" * 257 + "=1",
          "t" * 241 + "@" + "s" * 14 + "=1", "t" * 242 + "@s=1", "t@" + "s" * 15 + "=1", "0=1", "0@s=1", "a@0=1", "a=\t1", "a=\x7f",
          "long=" + "v" * 124 + "," + ",".join(f"k{i}={'v' * 100}" for i in range(5))]
parents = [good, good[:-1], good + "-", good + "-x", "cc" + good[2:] + "-x", "cc" + good[2:] + "x", "cc" + good[2:] + "-" + "x" * 500,
           "ff" + good[2:], " " + good, good + "\t", good.upper(), good[:-2] + "ff", good[:-2] + "02", "", "00", good[:3] + "0" * 32 + good[35:],
           good[:36] + "0" * 16 + good[52:], good.replace("-", "_")]


def mutated(text, draw):
    text = list(text)
    for _ in range(draw.choice([0, 1, 1, 1, 2, 3])):
        at = draw.randrange(len(text) + 1)
        what = draw.choice("replace insert remove swap".split())
        letter = draw.choice("0123456789abcdefABFg-=,@ \t_*/~\x7f")
        if what == "insert" or not text or at == len(text):
            text.insert(at, letter)
        elif what == "remove":
            del text[at]
        elif what == "swap":
            other = draw.randrange(len(text))
            text[at], text[other] = text[other], text[at]
        else:
            text[at] = letter
    return "".join(text)


def main():
    failed = 0

    made = [decode(line) for line in subprocess.run([program, "make", "2000"], capture_output=True, text=True,
                                                    check=True).stdout.splitlines()]
    for parent, state in made:
        if read(parent, state) != of_answer((parent, state)):
            failed += 1
            print(f"OpenTelemetry reads {parent!r} {state!r} as {read(parent, state)}")

    tracer = TracerProvider().get_tracer("test")
    sent = []
    for _ in range(500):
        carrier = {}
        with tracer.start_as_current_span("send"):
            propagator.inject(carrier)
        sent.append((carrier["traceparent"], ""))
    for (parent, _), answer in zip(sent, ask(sent)):
        if answer is None or answer[0][:53] != parent[:53] or answer[0][54] not in "01":
            failed += 1
            print(f"pgq reads {parent!r} as {answer}")

    draw = random.Random(19)
    cases = [(p, s) for p in parents for s in states]
    cases += [(mutated(draw.choice(parents), draw), mutated(draw.choice(states), draw)) for _ in range(20000)]
    seen = {name: 0 for name in differences}
    valid = 0
    for (parent, state), answer in zip(cases, ask(cases)):
        theirs, mine = read(parent, state), of_answer(answer)
        valid += mine is not None
        if theirs == mine:
            continue
        reasons = [name for name, explains in differences.items() if explains(parent, state, theirs, mine)]
        for name in reasons:
            seen[name] += 1
        # With the flags and the state as level 1 and pgq have them, the rest must be the same.
        same = theirs is not None and mine is not None and (theirs[0], theirs[1], theirs[2] & 1, fits(theirs[3])) == mine
        if not reasons or not (same or theirs is None or mine is None):
            failed += 1
            print(f"{parent!r} {state!r}\n  OpenTelemetry: {theirs}\n  pgq:           {mine}")
    print(f"{len(made)} of pgq, {len(sent)} of OpenTelemetry, {len(cases)} mutated, of which {valid} are valid")
    for name, count in seen.items():
        print(f"{count:6} {name}")
        if count == 0:
            failed += 1
            print("       nothing needs this rule")
    return failed != 0


sys.exit(main())
