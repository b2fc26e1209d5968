"""Drives a server with firebase-admin, unmodified, as programs do that are pointed at an emulator.

usage: admin_client.py HOST:PORT SCENARIO
Prints what it has checked; ends with status 0 only if everything was as it must be.
"""

import json
import os
import queue
import random
import sys
import threading
import urllib.request

host, scenario = sys.argv[1], sys.argv[2]
os.environ["FIREBASE_DATABASE_EMULATOR_HOST"] = host

import firebase_admin
from firebase_admin import db, exceptions
from checks import check

NAMESPACE = "interop-" + scenario.replace("_", "-")
URL = f"https://{NAMESPACE}.firebaseio.com"
app = firebase_admin.initialize_app(options={"databaseURL": URL, "projectId": "interop"})


def raises(kind, text, body):
    try:
        body()
    except kind as error:
        if text not in str(error):
            raise AssertionError(f"{kind.__name__} says {error}, not {text!r}")
        print("ok", kind.__name__, text)
        return error
    raise AssertionError(f"{kind.__name__} was expected")


def install_rules(rules):
    request = urllib.request.Request(
        f"http://{host}/.settings/rules.json?ns={NAMESPACE}",
        data=json.dumps({"rules": rules}).encode(), method="PUT",
        headers={"Authorization": "Bearer owner"})
    check(urllib.request.urlopen(request).status, 200, "rules are installed")


def basics():
    ref = db.reference("harbor/boats")
    check(ref.get(), None, "nothing is None")
    ref.set({"elk": {"len": 9}, "fox": {"len": 12.5, "name": "Füchsin ⛵"}})
    check(ref.get(), {"elk": {"len": 9}, "fox": {"len": 12.5, "name": "Füchsin ⛵"}}, "get after set")
    check(ref.get(shallow=True), {"elk": True, "fox": True}, "shallow get")
    check(ref.child("elk/len").get(), 9, "get of a child")
    ref.update({"elk": {"len": 10}, "fox/len": 13, "gnu": {"tags": ["a", "b"]}})
    check(ref.child("fox").get(), {"len": 13, "name": "Füchsin ⛵"}, "update keeps what it does not name")
    check(ref.child("gnu").get(), {"tags": ["a", "b"]}, "update adds")
    check(ref.child("gnu/tags").get(), ["a", "b"], "lists stay lists")
    keys = [ref.parent.child("log").push({"n": n}).key for n in range(10)]
    check(keys, sorted(keys), "pushed keys ascend")
    check(all(len(key) == 20 for key in keys), True, "pushed keys have 20 characters")
    check(list(db.reference("harbor/log").get().values()), [{"n": n} for n in range(10)], "pushed values")
    check(db.reference("harbor/empty").push().get(), "", "push without a value")
    ref.child("elk").delete()
    check(ref.child("elk").get(), None, "deleted")
    odd = db.reference("odd").child("a key with spaces, ümlauts & =%")
    odd.set(True)
    check(odd.get(), True, "keys that need escapes")
    check(list(db.reference("odd").get()), ["a key with spaces, ümlauts & =%"], "and are kept as they are")
    for value in [0, -1, 2**53, -(2**63), 1.5, 1e300, True, False, "", "x" * 100_000, [1, [2, [3]]]]:
        db.reference("values/one").set(value)
        check(db.reference("values/one").get(), value, f"value {str(value)[:20]}")
    ref.delete()
    db.reference("/").set({"only": 1})
    check(db.reference("/").get(), {"only": 1}, "the root is set")


def etags():
    ref = db.reference("counter")
    value, etag = ref.get(etag=True)
    check((value, etag), (None, "null_etag"), "the tag of nothing")
    check(ref.set_if_unchanged("null_etag", 1)[:2], (True, 1), "created")
    check(ref.set_if_unchanged("null_etag", 2)[:2], (False, 1), "not created again")
    value, etag = ref.get(etag=True)
    check(ref.get_if_changed(etag), (False, None, None), "not changed")
    success, value, newer = ref.set_if_unchanged(etag, {"a": [1, 2]})
    check((success, value), (True, {"a": [1, 2]}), "set with its tag")
    success, value, etag = ref.set_if_unchanged(etag, 3)
    check((success, value), (False, {"a": [1, 2]}), "refused with an old tag, and told what is there")
    changed, value, again = ref.get_if_changed("something else")
    check((changed, value, again), (True, {"a": [1, 2]}, etag), "changed")
    check(ref.transaction(lambda now: {"a": now["a"] + [3]}), {"a": [1, 2, 3]}, "transaction")
    check(ref.get(), {"a": [1, 2, 3]}, "what the transaction wrote")


def contention():
    threads, rounds = 8, 20
    ref = db.reference("contended")
    aborted = []
    failures = []

    def work():
        try:
            for _ in range(rounds):
                while True:
                    try:
                        ref.transaction(lambda now: (now or 0) + 1)
                        break
                    except db.TransactionAbortedError:
                        aborted.append(1)
        except BaseException as error:
            failures.append(error)

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    check(failures, [], "no transaction fails")
    check(ref.get(), threads * rounds, "the counter is exact")


def queries():
    install_rules({
        ".read": True, ".write": True,
        "boats": {".indexOn": ["len", "by/name"]}, "marks": {".indexOn": ".value"}})
    boats = {
        "elk": {"len": 9, "by": {"name": "ann"}}, "fox": {"len": 12, "by": {"name": "bo"}},
        "gnu": {"len": 7}, "hen": {"len": 12.5, "by": {"name": "cy"}}, "ibis": {"len": "long"}, "jay": {"sea": True}}
    ref = db.reference("boats")
    ref.set(boats)
    by_len = ref.order_by_child("len")
    check(list(by_len.get()), ["jay", "gnu", "elk", "fox", "hen", "ibis"], "order by child")
    check(list(ref.order_by_child("len").limit_to_first(2).get()), ["jay", "gnu"], "the first two")
    check(list(ref.order_by_child("len").limit_to_last(2).get()), ["hen", "ibis"], "the last two")
    check(list(ref.order_by_child("len").start_at(9).end_at(12).get()), ["elk", "fox"], "a range")
    check(list(ref.order_by_child("len").equal_to("long").get()), ["ibis"], "equal to a string")
    check(list(ref.order_by_child("by/name").start_at("b").get()), ["fox", "hen"], "a deep child")
    check(list(ref.order_by_key().get()), sorted(boats), "order by key")
    check(list(ref.order_by_key().start_at("f").limit_to_first(2).get()), ["fox", "gnu"], "keys from f")
    check(list(ref.order_by_key().equal_to("hen").get()), ["hen"], "one key")
    marks = {f"m{n}": n * 37 % 101 for n in range(100)}
    db.reference("marks").set(marks)
    expected = sorted(marks, key=lambda key: (marks[key], key))
    by_value = db.reference("marks").order_by_value()
    check(list(by_value.get()), expected, "order by value")
    check(list(db.reference("marks").order_by_value().limit_to_last(7).get()), expected[-7:], "the last seven")
    check(list(db.reference("marks").order_by_value().start_at(50).limit_to_first(3).get()),
          [key for key in expected if marks[key] >= 50][:3], "three from fifty on")
    db.reference("ranked").set({
        "a": {".value": "x", ".priority": 3}, "b": {".value": "y", ".priority": 1}, "c": {".value": "z", ".priority": 2}})
    # The client has no verb for the order by priority.
    with urllib.request.urlopen(
            f"http://{host}/ranked.json?ns={NAMESPACE}&orderBy=%22$priority%22&limitToFirst=2") as answer:
        check(json.load(answer), {"b": "y", "c": "z"}, "order by priority")
    raises(exceptions.InvalidArgumentError, 'Index not defined, add ".indexOn": "pos", for path "/boats", to the rules',
           lambda: ref.order_by_child("pos").get())
    raises(exceptions.InvalidArgumentError, "limitToFirst must be positive",
           lambda: ref.order_by_key().limit_to_first(0).get())


def overrides():
    install_rules({"mine": {"$uid": {".read": "auth.uid === $uid", ".write": "auth.uid === $uid"}}})
    db.reference("mine/ann").set(1)

    def acting_as(auth):
        name = json.dumps(auth)
        return firebase_admin.initialize_app(
            options={"databaseURL": URL, "databaseAuthVariableOverride": auth}, name=name)

    ann, nobody = acting_as({"uid": "ann"}), acting_as(None)
    check(db.reference("mine/ann", app=ann).get(), 1, "acting as the owner of the data")
    db.reference("mine/ann", app=ann).set(2)
    raises(exceptions.UnauthenticatedError, "Permission denied", lambda: db.reference("mine/bo", app=ann).get())
    raises(exceptions.UnauthenticatedError, "Permission denied", lambda: db.reference("mine/ann", app=nobody).get())
    raises(exceptions.UnauthenticatedError, "Permission denied", lambda: db.reference("mine", app=nobody).set(1))
    check(db.reference("mine").get(), {"ann": 2}, "the operator reads everything")


def listening():
    events = queue.Queue()
    ref = db.reference("watched")
    ref.set({"a": 1})
    ref.listen(lambda event: events.put((event.event_type, event.path, event.data)))

    def next_event():
        return events.get(timeout=20)

    check(next_event(), ("put", "/", {"a": 1}), "the value when it begins")
    ref.child("b").set({"c": [1, 2]})
    check(next_event(), ("put", "/b", {"c": [1, 2]}), "a child is set")
    ref.child("b/c/0").set("deep ⛵")
    check(next_event(), ("put", "/b/c/0", "deep ⛵"), "a deep change")
    ref.update({"a": None, "d/e": True})
    check(next_event(), ("patch", "/", {"a": None, "d/e": True}), "an update")
    ref.child("b").delete()
    check(next_event(), ("put", "/b", None), "a deletion")
    db.reference("/").update({"watched/d": 5, "elsewhere": 6})
    kind, path, data = next_event()
    check((path.rstrip("/") + "/d" if isinstance(data, dict) else path, data["d"] if isinstance(data, dict) else data),
          ("/d", 5), "an update from above shows its part only")
    db.reference("/").set({"watched": {"new": 1}})
    check(next_event(), ("put", "/", {"new": 1}), "a change above")
    seen = []
    numbers = list(range(300))
    random.shuffle(numbers)
    for n in numbers:
        ref.child("n").set(n)
    while len(seen) < len(numbers):
        kind, path, data = next_event()
        check((kind, path), ("put", "/n"), f"change {len(seen)}")
        seen.append(data)
    check(seen, numbers, "each change once, in order")


globals()[scenario]()
print("done", scenario, flush=True)
os._exit(0)  # without closing a listener: the client waits for its server's next event then
