"""web_test.py PGQ DSN FOLDER: drives the server of `pgq web` with raw sockets. web_demo.sql has filled the database."""

import base64
import http.client
import json
import os
import random
import select
import signal
import socket
import subprocess
import sys
import time

PGQ, DSN, WORK = sys.argv[1:4]
JSON = {"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"}


def sql(text):
    return subprocess.run(["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", DSN, "-c", text], check=True,
                          capture_output=True, text=True).stdout.strip()


def expect(what, found, wanted):
    if found != wanted:
        sys.exit(f"FAILED: {what}: found {found!r}, wanted {wanted!r}")


def expect_true(what, condition):
    if not condition:
        sys.exit(f"FAILED: {what}")


def wait_for(seconds, what, condition):
    until = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > until:
            sys.exit(f"FAILED: after {seconds} s still no: {what}")
        select.select([], [], [], 0.02)


class Server:
    """The program, listening on a free port."""

    def __init__(self, *arguments, dsn=DSN, env=None):
        self.log = os.path.join(WORK, f"log{random.random()}")
        self.process = subprocess.Popen([PGQ, "--dsn", dsn, "web", "--port", "0", *arguments], stdout=subprocess.PIPE,
                                        stderr=open(self.log, "w"), stdin=subprocess.DEVNULL, text=True,
                                        env={**os.environ, **(env or {})})
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"FAILED: the server has not started: {self.errors()}")
        self.port = int(line.rstrip("/\n").rsplit(":", 1)[1])

    def errors(self):
        return open(self.log).read()

    def memory(self):
        """Resident kilobytes."""
        for line in open(f"/proc/{self.process.pid}/status"):
            if line.startswith("VmRSS:"):
                return int(line.split()[1])

    def request(self, method, path, body=None, headers=None):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        c.request(method, path, body, headers or {})
        r = c.getresponse()
        data = r.read()
        c.close()
        return r.status, dict(r.getheaders()), data

    def get(self, path, headers=None):
        status, _, data = self.request("GET", path, headers=headers)
        expect(f"status of {path}", status, 200)
        return json.loads(data)

    def post(self, path, body, headers=JSON):
        status, _, data = self.request("POST", path, json.dumps(body), headers)
        return status, json.loads(data)

    def act(self, path, body):
        status, reply = self.post(path, body)
        expect(f"status of {path} {body}: {reply}", status, 200)
        return reply

    def raw(self, data, timeout=15):
        """What the server answers to these bytes, until it closes or is silent."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as s:
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
            found = b""
            try:
                while part := s.recv(65536):
                    found += part
            except OSError:
                pass
            return found

    def stream(self):
        s = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        s.sendall(b"GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return s

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        expect("the exit status after SIGTERM", self.process.wait(20), 0)


def status_of(answer):
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/") else 0


def operation(server, body):
    status, reply = server.post("/api/act", body)
    expect(f"status of an operation {reply}", status, 202)
    return wait_for(30, "the end of an operation", lambda: (
        lambda now: now if now["finished"] else None)(server.get(f"/api/operation?id={reply['operation']}")))


def held(where="true"):
    return int(sql(f"SELECT count(*) FROM pgq_jobs.deferred WHERE kind = 'h' AND {where}"))


def check_pages(s):
    for path in ["/", "/jobs", "/job", "/failed", "/queues", "/workers", "/schedules", "/system", "/jobs?q=state:held"]:
        status, headers, data = s.request("GET", path)
        expect(f"status of {path}", status, 200)
        expect(f"type of {path}", headers["Content-Type"], "text/html; charset=utf-8")
        expect_true(f"{path} is the page", b'<main id="main"' in data)
    for name, kind in [("app.js", "text/javascript; charset=utf-8"), ("style.css", "text/css; charset=utf-8"),
                       ("icon.svg", "image/svg+xml"), ("pages/jobs.js", "text/javascript; charset=utf-8"),
                       ("vendor/uplot/uPlot.iife.min.js", "text/javascript; charset=utf-8")]:
        status, headers, data = s.request("GET", f"/assets/{name}")
        expect(f"{name}", (status, headers["Content-Type"], len(data) > 100), (200, kind, True))
        status, _, data = s.request("GET", f"/assets/{name}", headers={"If-None-Match": headers["ETag"]})
        expect(f"{name} once more", (status, data), (304, b""))
    status, headers, data = s.request("HEAD", "/")
    expect("HEAD", (status, data), (200, b""))
    expect("CSP", headers["Content-Security-Policy"],
           "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
           "frame-ancestors 'none'; base-uri 'none'; form-action 'self'")
    expect("headers", (headers["X-Content-Type-Options"], headers["Referrer-Policy"]), ("nosniff", "no-referrer"))
    _, headers, _ = s.request("GET", "/api/overview")
    expect("data is not stored", headers["Cache-Control"], "no-store")
    status, headers, _ = s.request("GET", "/api/act")
    expect("GET of an action", (status, headers["Allow"]), (405, "POST"))
    expect("POST of a page", s.post("/api/jobs", {})[0], 405)


def check_data(s):
    o = s.get("/api/overview")
    expect("entrypoints", o["totals"]["entrypoints"], 7)
    expect("held", o["totals"]["held"], {"n": 55, "capped": False})
    expect("workers", o["workers"], {"alive": 3, "dead": 1, "running": 17})
    expect("a capped count", [q["ready"] for q in o["busiest"] if q["entrypoint"] == "reindex"],
           [{"n": 7142, "capped": True}])
    expect("queues", [q["entrypoint"] for q in s.get("/api/queues")["queues"]],
           ["export_ledger", "sync_customer", "reindex", "build_report", "charge_card", "resize_image", "send_mail"])
    for q, count in [("state:held", 50), ("entrypoint:charge_card state:held", 12), ("queue:billing state:held", 6),
                     ("header:tenant=acme state:held entrypoint:charge_card", 12), ("id:900001", 1), ("900001", 1),
                     ('"insufficient funds"', 12), ("state:blocked", 1), ("state:leased", 17), ("queue:none", 0),
                     ('"onerror=\\"window"', 1)]:
        found = s.get("/api/jobs?q=" + quote(q))
        expect(f"jobs of {q}", len(found["jobs"]), count)
    seen, after = [], ""
    while True:  # pages
        found = s.get(f"/api/jobs?q=state:held&after={after}")
        seen += [j["id"] for j in found["jobs"]]
        if not found["next"]:
            break
        after = found["next"]
    expect("jobs of all pages", (len(seen), len(set(seen))), (55, 55))
    for q, message in [("state:lost", "there is no state"), ("header:x", "a header has"), ("id:x", "no id"),
                       ("newer:x", "no time")]:
        status, _, data = s.request("GET", "/api/jobs?q=" + quote(q))
        expect_true(f"{q}: {data}", status == 400 and message in json.loads(data)["error"]["message"])
    j = s.get("/api/job/900001")
    expect("the payload as it is", (j["payload"]["kind"], "9007199254740993" in j["payload"]["text"]), ("json", True))
    expect("its attempts", [f["attempt"] for f in j["failures"]], [1, 2, 3])
    j = s.get("/api/job/900002")["payload"]
    expect("bytes", (j["kind"], j["text"]), ("hex", "00ff10a0deadbeef"))
    expect("an encrypted payload", s.get("/api/job/900003")["payload"],
           {"kind": "encrypted", "text": "", "bytes": 86, "cut": True})
    parent = s.get("/api/job/900010")["parents"][0]
    expect("children", s.get(f"/api/job/{parent}")["children"], ["900010"])
    expect("an unknown job", s.request("GET", "/api/job/77777777")[0], 404)
    expect("groups", sorted(g["count"]["n"] for g in s.get("/api/failed")["groups"]), [1, 1, 1, 3, 6, 12, 31])
    expect("workers", [w["alive"] for w in s.get("/api/workers")["workers"]], [True, True, True, False])
    expect("schedules", [x["name"] for x in s.get("/api/schedules")["schedules"]],
           ["nightly-ledger", "refresh", "weekly-report"])
    expect("limits", [x["kind"] for x in s.get("/api/limits")["limits"]], ["running", "rate", "running"])
    for last, points, complete in [("1h", 60, True), ("24h", 144, True), ("7d", 96, False)]:
        series = s.get(f"/api/series?last={last}")
        expect(f"points of {last}", (len(series["at"]), series["complete"]), (points, complete))
        expect_true(f"numbers of {last}", sum(series["in"]) > 0 and len(series["wait99"]) == points)
    expect("series of nothing", sum(s.get("/api/series?queue=none")["in"]), 0)
    # The same numbers when the minutes of workers have been added up. Another address each, because answers are kept.
    names = ["", "&queue=" + sql("SELECT min(queue) FROM pgq_jobs.lane")]
    before = [s.get(f"/api/series?last=24h{n}&ask=1") for n in names]
    while sql("SELECT pgq_jobs.fold_minutes('48 hours')") != "0":
        pass
    for n, old in zip(names, before):
        new = s.get(f"/api/series?last=24h{n}&ask=2")
        for numbers in ["in", "out", "failed", "wait99"]:
            expect(f"{numbers} of 24 h{n}, added up", new[numbers][1:-1], old[numbers][1:-1])
    expect("rows of workers that are gone", sql("SELECT count(*) FROM pgq_jobs.minute WHERE worker > 0 AND "
                                                "worker NOT IN (SELECT id FROM pgq_jobs.worker)"), "0")
    expect("the schema", s.get("/api/system")["schema"], "pgq_jobs")
    expect("me", s.get("/api/me")["may_act"], True)


def quote(text):
    return "".join(c if c.isalnum() else "".join(f"%{b:02X}" for b in c.encode()) for c in text)


def check_actions(s):
    ids = [j["id"] for j in s.get("/api/jobs?q=" + quote("entrypoint:charge_card state:held"))["jobs"]][:3]
    expect("a preview of ids", s.act("/api/act", {"action": "requeue", "ids": ids, "preview": True}),
           {"count": 3, "capped": False})
    expect("requeue", s.act("/api/act", {"action": "requeue", "ids": ids})["done"], 3)
    expect("the page sees it at once", len(s.get("/api/jobs?q=" + quote("entrypoint:charge_card state:held"))["jobs"]), 9)
    expect("again", s.act("/api/act", {"action": "requeue", "ids": ids}), {"done": 0, "skipped": 3, "stopping": 0})
    group = 'queue:shop entrypoint:send_mail state:held "550 5.1.1 mailbox unavailable"'
    expect("a preview", s.act("/api/act", {"action": "drop", "q": group, "preview": True}),
           {"count": 31, "capped": False})
    expect("a preview changes nothing", held("lane = 1"), 37)
    expect("drop all that match", operation(s, {"action": "drop", "q": group})["done"], 31)
    expect("held after it", held("lane = 1"), 6)
    expect("run now", operation(s, {"action": "run-now", "q": "entrypoint:build_report"})["done"], 12)
    expect("cancel", operation(s, {"action": "cancel", "q": "entrypoint:build_report state:ready"})["done"], 12)
    expect("cancel of jobs that run", operation(s, {"action": "cancel", "q": "state:leased entrypoint:send_mail"})["done"], 6)
    expect("move", operation(s, {"action": "move", "q": "entrypoint:export_ledger state:ready", "to_queue": "shop",
                                 "to_entrypoint": "build_report"})["done"], 4)
    expect("moved", sql("SELECT count(*) FROM pgq_jobs.ready WHERE lane = 4"), "4")
    expect("a long operation", operation(s, {"action": "cancel", "q": "entrypoint:reindex state:ready"})["done"], 12000)

    expect("pause", s.act("/api/pause", {"queue": "shop", "kind": "paused", "reason": "test"}), {"changed": True})
    expect("pauses", [(p["queue"], p["kind"], p["reason"]) for p in s.get("/api/queues")["pauses"]],
           [("shop", "paused", "test")])
    expect("resume", s.act("/api/resume", {"queue": "shop"}), {"changed": True})
    expect("resume again", s.act("/api/resume", {"queue": "shop"}), {"changed": False})
    s.act("/api/pause", {"queue": "shop", "entrypoint": "send_mail", "kind": "draining", "reason": "test"})
    expect("draining", [q["draining"] for q in s.get("/api/queues")["queues"] if q["entrypoint"] == "send_mail"], [True])
    s.act("/api/resume", {"queue": "shop", "entrypoint": "send_mail"})
    s.act("/api/pause", {"all": True, "kind": "paused", "reason": "all"})
    expect("everything", {q["paused"] for q in s.get("/api/queues")["queues"]}, {True})
    s.act("/api/resume", {"all": True})

    s.act("/api/schedule", {"queue": "shop", "name": "weekly-report", "change": "pause", "reason": "later"})
    expect("a paused schedule", [x["pause_reason"] for x in s.get("/api/schedules")["schedules"]], ["", "", "later"])
    s.act("/api/schedule", {"queue": "shop", "name": "weekly-report", "change": "resume"})
    job = s.act("/api/schedule", {"queue": "shop", "name": "weekly-report", "change": "fire"})["job"]
    expect("the job of the schedule", s.get(f"/api/job/{job}")["entrypoint"], "build_report")
    s.act("/api/limit", {"queue": "shop", "entrypoint": "charge_card", "kind": "rate", "amount": 5, "per": "10s"})
    expect("the limit", sql("SELECT amount, per, burst FROM pgq_jobs.lane_limit WHERE kind = 'r'"), "5|00:00:10|10")
    expect("forget", s.act("/api/forget", {"worker": 104}), {"forgotten": True})
    expect("workers that are left", len(s.get("/api/workers")["workers"]), 3)
    log = s.errors()
    for line in [r'127.0.0.1 - requeue ids=' + ",".join(ids) + " done=3 skipped=0", "pause queue=\"shop\" reason=\"test\" done",
                 'set-limit queue="shop" entrypoint="charge_card" kind=rate number=0 amount=5 per=10s done',
                 "forget-worker worker=104 done", " done=12000 skipped=0"]:
        expect_true(f"the audit line {line} in {log}", line in log)
    expect_true("no audit line of a preview", "preview" not in log)


def check_groups(s):
    """An action on a group takes its jobs, and none of a group whose reason has the same words."""
    lane = sql("INSERT INTO pgq_jobs.lane (queue, entrypoint) VALUES ('groups', 'e') RETURNING id").split()[0]
    reasons = ["timeout"] * 2 + ["gateway timeout"] * 5 + ["timeout\\r\\nin line 2"] + [""] * 3 + ["a" * 499 + "xy", "a" * 499 + "xz"]
    for n, reason in enumerate(reasons):
        sql("INSERT INTO pgq_jobs.deferred (run_at, kind, id, rank, lane, body, reason) VALUES "
            f"('infinity', 'h', {950000 + n}, 0, {lane}, '{{}}', E'{reason}')")
    def left():
        return int(sql(f"SELECT count(*) FROM pgq_jobs.deferred WHERE lane = {lane}"))
    groups = {g["reason"]: g for g in s.get("/api/failed?q=queue:groups")["groups"]}
    expect("groups", sorted(g["count"]["n"] for g in groups.values()), [2, 3, 3, 5])
    for reason, n in [("timeout", 3), ("", 3), ("a" * 499 + "x", 2), ("gateway timeout", 5)]:
        g = groups[reason]
        group = {"action": "drop", "group": {"lane": g["lane"], "reason": g["reason"]}}
        expect(f"the group {reason[:20]!r}", s.post("/api/act", {**group, "preview": True})[1]["count"], n)
        before = left()
        operation(s, group)
        expect(f"what is left after {reason[:20]!r}", left(), before - n)
    for wrong in [{}, {"lane": 0, "reason": ""}, {"lane": "1", "reason": ""}, {"lane": 1}, []]:
        expect(f"a group of {wrong}", s.post("/api/act", {"action": "drop", "group": wrong})[0], 400)
    sql(f"DELETE FROM pgq_jobs.lane WHERE id = {lane}")


def check_wrong_orders(s):
    before = held()
    for path, body in [("/api/act", {}), ("/api/act", {"action": "explode", "ids": ["1"]}),
                       ("/api/act", {"action": "drop"}), ("/api/act", {"action": "drop", "q": ""}),
                       ("/api/act", {"action": "drop", "ids": ["1"], "q": "x"}),
                       ("/api/act", {"action": "drop", "ids": [1]}), ("/api/act", {"action": "drop", "ids": ["1x"]}),
                       ("/api/act", {"action": "drop", "ids": ["1"] * 1001}),
                       ("/api/act", {"action": "move", "ids": ["1"]}),
                       ("/api/act", {"action": "move", "ids": ["1"], "to_queue": "no", "to_entrypoint": "no"}),
                       ("/api/pause", {"kind": "paused", "reason": "x"}), ("/api/pause", {"queue": "shop", "kind": "off"}),
                       ("/api/pause", {"queue": "shop", "kind": "paused"}),
                       ("/api/pause", {"queue": "typo", "kind": "paused", "reason": "x"}),
                       ("/api/resume", {}), ("/api/schedule", {"queue": "shop", "name": "none", "change": "fire"}),
                       ("/api/schedule", {"queue": "shop", "name": "weekly-report", "change": "remove"}),
                       ("/api/limit", {"queue": "shop", "kind": "rate"}),
                       ("/api/limit", {"queue": "shop", "entrypoint": "none", "kind": "rate", "amount": 1}),
                       ("/api/limit", {"queue": "shop", "kind": "running", "amount": -1}),
                       ("/api/forget", {"worker": 101}), ("/api/forget", {"worker": 999})]:
        status, reply = s.post(path, body)
        expect_true(f"{path} {str(body)[:80]} is refused: {status} {reply}", status == 400 and reply["error"]["message"])
    for q in ["queue:", " ", '""', "entrypoint:", 'queue:""', "queue:shop queue:billing", "state:held state:ready"]:
        status, reply = s.post("/api/act", {"action": "cancel", "q": q})
        expect_true(f"cancel of {q!r} is refused: {status} {reply}", status == 400 and reply["error"]["message"])
    status, reply = s.post("/api/limit", {"queue": "shop", "entrypoint": "resize_image", "kind": "running",
                                          "number": 65536, "amount": 1})
    expect("a limit with another number", status, 400)
    for body in [b"", b"[]", b"{", b'"x"', b'{"action": "drop", "q": "\xff"}', b"{" * 5000]:
        expect(f"body {body[:20]}", s.request("POST", "/api/act", body, JSON)[0], 400)
    expect("nothing has changed", held(), before)


def check_site(s):
    before = held()
    drop = json.dumps({"action": "drop", "q": "", "all": True})
    host = f"127.0.0.1:{s.port}"
    for headers, status in [({"Content-Type": "application/json", "Sec-Fetch-Site": "cross-site"}, 403),
                            ({"Content-Type": "application/json", "Sec-Fetch-Site": "same-site"}, 403),
                            ({"Content-Type": "application/json", "Sec-Fetch-Site": "none"}, 403),
                            ({"Content-Type": "application/json", "Origin": "http://evil.example"}, 403),
                            ({"Content-Type": "application/json", "Origin": f"http://{host}.evil.example"}, 403),
                            ({"Content-Type": "application/json", "Origin": "null"}, 403),
                            ({"Content-Type": "application/json"}, 403),
                            ({"Content-Type": "application/json", "Authorization": "Bearer of nothing"}, 403),
                            ({"Content-Type": "text/plain", "Sec-Fetch-Site": "same-origin"}, 415),
                            ({"Content-Type": "application/x-www-form-urlencoded", "Origin": f"http://{host}"}, 415),
                            ({"Content-Type": "multipart/form-data; boundary=x", "Origin": f"http://{host}"}, 415)]:
        expect(f"POST with {headers}", s.request("POST", "/api/act", drop, headers)[0], status)
    expect("nothing has changed", held(), before)
    preview = json.dumps({"action": "drop", "q": "state:held", "preview": True})
    expect("the same origin", s.request("POST", "/api/act", preview, {
        "Content-Type": "application/json; charset=utf-8", "Origin": f"http://{host}"})[0], 200)
    for name, status in [("localhost", 200), (f"localhost:{s.port}", 200), ("[::1]", 200), ("LOCALHOST", 200),
                         ("evil.example", 421), ("127.0.0.1.evil.example", 421), ("localhost.evil.example:80", 421),
                         ("10.0.0.1", 421), ("", 421), ("localhost:x", 421), ("localhost@evil.example", 421)]:
        expect(f"Host: {name}", s.request("GET", "/api/overview", headers={"Host": name})[0], status)
    expect("no Host", status_of(s.raw(b"GET / HTTP/1.1\r\n\r\n")), 421)
    expect("two Hosts", status_of(s.raw(b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n")), 421)
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "FOO"]:
        expect(method, s.request(method, "/api/act", headers={"Host": "localhost"})[0], 405)
    for path in ["/../../../etc/passwd", "/assets/../embed.cmake", "/assets/%2e%2e/embed.cmake", "/assets//app.js",
                 "/assets/", "/assets", "/assets/app.js/", "/assets/app.js%00", "//etc/passwd", "/jobs/", "/./jobs",
                 "/api", "/api/", "/api/job/", "/api/job/1/2", "/api/job/x", "/api/job/99999999999999999999", "/api/job/-1",
                 "/%6aobs", "/assets/vendor/uplot/LICENSE", "/.git/config", "/api/../api/overview"]:
        answer = s.raw(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        expect(f"path {path}", status_of(answer), 404)
    for target in ["*", "http://evil.example/", "jobs", "/api/jobs?q=%zz", "/api/jobs?q=%ff", "/api/jobs?q=%00"]:
        answer = s.raw(f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        expect(f"target {target}", status_of(answer), 400)


def check_credentials():
    with open(os.path.join(WORK, "token"), "w") as f:
        f.write("0123456789abcdef0123\n")
    with open(os.path.join(WORK, "users"), "w") as f:
        f.write("# who may\nalice:correct horse\nbob:battery staple\n")
    s = Server("--host", "0.0.0.0", "--token-file", f"{WORK}/token", "--user-file", f"{WORK}/users", "--allow-host",
               "jobs.example.com")

    def basic(pair):
        return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
    for headers, status in [({}, 401), (basic("alice:correct horse"), 200), (basic("bob:battery staple"), 200),
                            (basic("alice:battery staple"), 401), (basic("alice:"), 401), (basic(":"), 401),
                            (basic("alice"), 401), (basic("x:0123456789abcdef0123"), 200),
                            ({"Authorization": "Bearer 0123456789abcdef0123"}, 200),
                            ({"Authorization": "bearer 0123456789abcdef0123"}, 200),
                            ({"Authorization": "Bearer 0123456789abcdef012"}, 401),
                            ({"Authorization": "Bearer 0123456789abcdef0123x"}, 401), ({"Authorization": "Bearer "}, 401),
                            ({"Authorization": "Basic ***"}, 401), ({"Authorization": "Digest x"}, 401)]:
        for path in ["/", "/api/overview", "/assets/app.js", "/nothing"]:
            wanted = 404 if status == 200 and path == "/nothing" else status
            expect(f"{path} with {headers}", s.request("GET", path, headers=headers)[0], wanted)
    for path in ["/api/events", "/api/act"]:
        method = "POST" if path == "/api/act" else "GET"
        status, headers, _ = s.request(method, path, "{}", JSON)
        expect(f"{path} without", (status, headers["WWW-Authenticate"]), (401, 'Basic realm="pgq", charset="UTF-8"'))
    alice = basic("alice:correct horse")
    expect("an allowed name", s.request("GET", "/api/me", headers={**alice, "Host": "jobs.example.com"})[0], 200)
    expect("another name", s.request("GET", "/api/me", headers={**alice, "Host": "evil.example"})[0], 421)
    expect("an address", s.request("GET", "/api/me", headers={**alice, "Host": "10.1.2.3:8080"})[0], 200)
    resume, plain = b'{"queue": "shop"}', {"Content-Type": "application/json"}
    expect("a program with a token", s.request("POST", "/api/resume", resume,
                                               {**plain, "Authorization": "bearer 0123456789abcdef0123"})[0], 200)
    expect("a password, which a browser sends by itself", s.request("POST", "/api/resume", resume, {**plain, **alice})[0],
           403)
    s.post("/api/pause", {"queue": "shop", "kind": "paused", "reason": "\x1b[31m\nforged line"}, {**JSON, **alice})
    s.post("/api/resume", {"queue": "shop"}, {**JSON, **alice})
    wait_for(5, "the audit line", lambda: "resume" in s.errors())
    line = [x for x in s.errors().splitlines() if " pause " in x]
    expect_true(f"who it was, in one line without control characters: {line}",
                len(line) == 1 and "127.0.0.1 alice pause" in line[0] and "\\u001b[31m\\nforged line" in line[0])
    s.stop()
    s = Server(env={"PGQ_WEB_TOKEN": "0123456789abcdefTOKEN"})
    expect("a token of the environment", (s.request("GET", "/")[0], s.request("GET", "/", headers={
        "Authorization": "Bearer 0123456789abcdefTOKEN"})[0]), (401, 200))
    s.stop()


def check_read_only():
    before = held()
    orders = [("/api/act", {"action": "drop", "ids": ["900001"]}), ("/api/pause", {"queue": "shop", "kind": "paused",
              "reason": "x"}), ("/api/schedule", {"queue": "shop", "name": "weekly-report", "change": "fire"}),
              ("/api/limit", {"queue": "shop", "entrypoint": "charge_card", "kind": "rate", "amount": 6})]

    def refuses(s, sentence):
        me = s.get("/api/me")
        expect_true(f"{me}", not me["may_act"] and sentence in me["reason"])
        for path, body in orders:
            status, reply = s.post(path, body)
            expect(f"{path}: {reply}", (status, bool(reply["error"]["message"])), (403, True))
        s.get("/api/overview")
        s.stop()
    refuses(Server("--read-only"), "--read-only")
    name = sql("SELECT current_database()")
    sql(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    refuses(Server(), "read-only")
    subprocess.run(["psql", "-X", "-q", DSN, "-c", f'ALTER DATABASE "{name}" RESET default_transaction_read_only'],
                   check=True, env={**os.environ, "PGOPTIONS": "-c default_transaction_read_only=off"})
    if sql("SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == "t":
        role = f"web_test_{os.getpid()}"
        kinds = ["owner", "producer", "worker", "operator", "reader"]
        names = [word for kind in kinds for word in (f"--{kind}", f"{role}_{kind}")]
        subprocess.run([PGQ, "--dsn", DSN, "install", "--roles", *names], check=True, capture_output=True)
        sql(f"CREATE ROLE {role} LOGIN IN ROLE {role}_reader")
        try:
            s = Server(dsn=f"{DSN} user={role}")
            expect("a reader sees no payload", s.get("/api/job/900001")["payload"]["kind"], "hidden")
            expect("and the rest", len(s.get("/api/job/900001")["failures"]), 3)
            for path in ["queues", "jobs", "failed", "workers", "schedules", "limits", "series", "system"]:
                s.get(f"/api/{path}")
            refuses(s, "may read and not act")
        finally:
            sql(f"REASSIGN OWNED BY {role}_owner TO current_user")
            for each in [role, *(f"{role}_{kind}" for kind in kinds)]:
                sql(f"DROP OWNED BY {each}; DROP ROLE {each}")
    expect("nothing has changed", held(), before)


def check_limits(s):
    """Bytes, times and numbers of clients."""
    line = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    expect("7 KiB of headers", status_of(s.raw(line + b"X: " + b"a" * 7000 + b"\r\n\r\n")), 200)
    expect("9 KiB of headers", status_of(s.raw(line + b"X: " + b"a" * 9000 + b"\r\n\r\n")), 431)
    expect("a long request line", status_of(s.raw(b"GET /" + b"a" * 9000)), 431)
    big = b"POST /api/act HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nSec-Fetch-Site: same-origin\r\n"
    expect("a body of 2 MiB", status_of(s.raw(big + b"Content-Length: 2097152\r\n\r\n")), 413)
    chunks = b"10000\r\n" + b" " * 65536 + b"\r\n"
    expect("a chunked body of 2 MiB", status_of(s.raw(big + b"Transfer-Encoding: chunked\r\n\r\n" + chunks * 32)), 413)

    before = s.memory()
    sent = 0
    with socket.create_connection(("127.0.0.1", s.port), timeout=20) as c:
        block = b"a" * (1 << 20)
        try:
            while sent < 300 << 20:
                sent += c.send(block)
        except OSError:
            pass
    expect_true(f"300 MB without a line end: {sent} bytes were taken, memory {before} to {s.memory()} kB",
                s.memory() - before < 8192)

    begun = time.monotonic()
    slow = [socket.create_connection(("127.0.0.1", s.port), timeout=20) for _ in range(20)]
    open_ones = set(slow)
    while open_ones and time.monotonic() - begun < 20:
        for c in list(open_ones):
            try:
                c.send(b"G")
                if select.select([c], [], [], 0)[0]:
                    if not c.recv(100):
                        open_ones.discard(c)
            except OSError:
                open_ones.discard(c)
        select.select([], [], [], 0.2)
    took = time.monotonic() - begun
    for c in slow:
        c.close()
    expect_true(f"slow headers end after 10 s: {len(open_ones)} are open after {took:.1f} s", not open_ones and 9 < took < 14)


def check_malformed(s):
    # A body of an unknown coding has no length: what follows is not another request.
    inner = b"GET /api/me HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    for coding in [b"xchunked", b"chunked, identity", b"identity", b"gzip"]:
        answer = s.raw(b"GET /api/me HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: " + coding + b"\r\n\r\n" + inner)
        expect(f"the coding {coding}", (status_of(answer), answer.count(b"HTTP/1.1 ")), (400, 1))
    rng = random.Random(20)
    good = [b"GET /api/jobs?q=state:held HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            b"POST /api/act HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nSec-Fetch-Site: cross-site\r\n"
            b"Content-Length: 40\r\n\r\n" + b'{"action":"drop","q":"","all":true}     ']
    before, jobs = s.memory(), held()
    for n in range(10000):
        data = bytearray(rng.choice(good))
        for _ in range(rng.randint(1, 12)):
            at = rng.randrange(len(data))
            how = rng.randrange(4)
            if how == 0:
                data[at] = rng.randrange(256)
            elif how == 1:
                del data[at:at + rng.randint(1, 9)]
            elif how == 2:
                data[at:at] = bytes(rng.randrange(256) for _ in range(rng.randint(1, 9)))
            else:
                data[at:at] = data[max(0, at - 20):at]
            if not data:
                data = bytearray(b"\r\n")
        with socket.create_connection(("127.0.0.1", s.port), timeout=20) as c:
            try:
                c.sendall(bytes(data))
                c.shutdown(socket.SHUT_WR)
                if n % 100 == 0:
                    c.recv(1000)
            except OSError:
                pass
    wait_for(30, "an answer after malformed requests", lambda: s.request("GET", "/api/me")[0] == 200)
    expect("nothing has changed", held(), jobs)
    expect_true(f"memory after malformed requests: {before} to {s.memory()} kB", s.memory() - before < 20480)


def head_of(stream):
    data = b""
    while b"\r\n\r\n" not in data:
        part = stream.recv(4096)
        if not part:
            break
        data += part
    return data


def statements(s):
    return s.errors().count("\n-- ") + s.errors().startswith("-- ")


def watch(seconds):
    select.select([], [], [], seconds)


def check_streams():
    s = Server("--verbose")
    first = s.stream()
    expect("a stream", status_of(head_of(first)), 200)
    wait_for(10, "a sample", lambda: select.select([first], [], [], 0)[0])
    data = b""
    while b"event: sample" not in data or not data.endswith(b"\n\n"):
        data += first.recv(65536)
    begun = time.monotonic()
    sql("UPDATE pgq_jobs.deferred SET reason = 'live' WHERE id = 900002; "
        "INSERT INTO pgq_jobs.ready (rank, lane, body) SELECT -1, 6, '{}' FROM generate_series(1, 321)")
    data = b""
    while b'"ready":{"n":321,"capped":false}' not in data:
        data += first.recv(65536)
    took = time.monotonic() - begun
    expect_true(f"a change is seen within 2 s: {took:.2f}", took < 2)

    before = statements(s)
    watch(4)
    one = statements(s) - before
    expect_true(f"one viewer costs something: {one}", one > 0)
    many = [s.stream() for _ in range(49)]
    before = statements(s)
    for _ in range(4):
        for _ in range(50):  # the pages of fifty viewers ask for the same
            s.get("/api/overview")
        watch(0.7)
    fifty = statements(s) - before
    expect_true(f"fifty viewers cost no more than one: {one} and {fifty} statements in 4 s", fifty <= one * 1.6 + 10)

    before = s.memory()
    rest = [s.stream() for _ in range(150)]
    for c in many + rest:
        expect("one of 200 streams", status_of(head_of(c)), 200)
    surplus = [s.stream() for _ in range(200)]
    expect("200 more", {status_of(head_of(c)) for c in surplus}, {503})
    for c in surplus:
        c.close()
    wait_for(10, "an answer beside 200 streams", lambda: s.request("GET", "/api/me")[0] == 200)
    for n in range(20):  # nobody reads these: nothing may pile up
        sql(f"INSERT INTO pgq_jobs.ready (rank, lane, body) VALUES (-1, 6, '{n}')")
        watch(0.1)
    expect_true(f"memory with 200 streams: {before} to {s.memory()} kB", s.memory() - before < 40960)
    for c in [first, *many, *rest]:
        c.close()

    def is_idle():
        n = statements(s)
        watch(2.5)
        return statements(s) == n
    wait_for(30, "idle without statements", is_idle)
    wanted = sql("SELECT max(query_start) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()")
    watch(3)
    expect("the last statement of any session", sql("SELECT max(query_start) FROM pg_stat_activity WHERE "
           "pid <> pg_backend_pid() AND datname = current_database()"), wanted)
    again = s.stream()
    wait_for(10, "a sample after sleep", lambda: b"event: sample" in again.recv(65536))
    again.close()
    s.stop()


def check_trouble():
    """The database goes away and comes back."""
    s = Server()
    stream = s.stream()
    head_of(stream)
    sql("ALTER TABLE pgq_jobs.lane RENAME TO lane_gone")
    seen = b""
    while b"event: trouble" not in seen:
        seen += stream.recv(65536)
    expect_true("an error is JSON", json.loads(s.request("GET", "/api/queues")[2])["error"]["message"])
    sql("ALTER TABLE pgq_jobs.lane_gone RENAME TO lane")
    sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()")
    seen = b""
    while b"event: sample" not in seen:
        seen += stream.recv(65536)
    stream.close()
    s.stop()


def check_that_it_lasts(stream, began):
    """A write has 30 s, a stream has no end."""
    stream.settimeout(40)
    while time.monotonic() - began < 32:
        expect_true("a stream that lasts", stream.recv(65536))
    stream.close()


server = Server()
lasting, began = server.stream(), time.monotonic()
check_pages(server)
check_data(server)
check_site(server)
check_wrong_orders(server)
check_limits(server)
check_malformed(server)
check_groups(server)
check_actions(server)
check_that_it_lasts(lasting, began)
server.stop()
check_credentials()
check_read_only()
check_streams()
check_trouble()
