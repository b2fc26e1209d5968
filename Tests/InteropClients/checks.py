"""What the clients here share: checks that say what they found, and calls of the server's REST interface."""

import json
import urllib.error
import urllib.request


def check(got, expected, what):
    if got != expected:
        raise AssertionError(f"{what}: got {repr(got)[:500]}, expected {repr(expected)[:500]}")
    print("ok", what)


def refused(error, what, work):
    """Checks that `work` raises an error of this kind, and returns it."""
    try:
        got = work()
    except error as caught:
        print("ok", what)
        return caught
    raise AssertionError(f"{what}: got {got!r}, expected {error}")


def asking(host):
    """A function that makes a request of a server and returns its status and its JSON."""

    def ask(method, path, body=None, credential=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://{host}{path}", data=data, method=method)
        if credential:
            request.add_header("Authorization", "Bearer " + credential)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    return ask
