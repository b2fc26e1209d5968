"""Looks at the page of `dhole rules coverage --html` as headless Chromium draws it.

usage: coverage_page.py DHOLE FOLDER [PICTURE]

Writes a rule set with one rule of each verdict and cases that bring them about, has Chromium draw the page, and reads
the colours off the picture. FOLDER is for the files; PICTURE, if given, is where the picture is kept.
"""

import json
import os
import re
import shutil
import struct
import subprocess
import sys
import zlib

# What each verdict's badge and each kind of part is drawn in, as the page's style has it.
BADGES = {
    "both": (0x2A, 0x7F, 0x4C),
    "always true": (0x99, 0x6A, 0x00),
    "always false": (0xB3, 0x54, 0x1E),
    "only errors": (0x7A, 0x4F, 0xB5),
    "never asked": (0xB5, 0x2B, 0x2B),
}
PARTS = {
    "true": (0xFB, 0xE8, 0xB8),
    "false": (0xF9, 0xD3, 0xBB),
    "error": (0xE6, 0xD6, 0xF7),
    "never": (0xF6, 0xCA, 0xCA),
}

# In the order of the lines, so in the order of the page: one rule for each verdict of BADGES.
RULES = """{
  "rules": {
    "both": {".read": "auth != null"},
    "true": {".read": "auth == null || auth.uid == 'mia'"},
    "false": {".read": "auth != null && auth.uid == 'nobody'"},
    "error": {".read": "auth != null && auth.uid.length > data.child('n').val()"},
    "never": {".read": "auth.uid == 'leo'"}
  }
}
"""
CASES = {
    "auth": {"mia": {"uid": "mia"}},
    "cases": [
        {"as": "mia", "read": "both", "expect": "allow"},
        {"read": "both", "expect": "deny"},
        {"read": "true", "expect": "allow"},
        {"as": "mia", "read": "false", "expect": "deny"},
        {"as": "mia", "read": "error", "expect": "deny"},
    ],
}


class Picture:
    """A PNG of eight bits a channel, without interlacing: what Chromium writes."""

    def __init__(self, path):
        with open(path, "rb") as file:
            data = file.read()
        assert data[:8] == b"\x89PNG\r\n\x1a\n", "not a PNG"
        at, packed = 8, b""
        while at < len(data):
            length, kind = struct.unpack(">I4s", data[at : at + 8])
            body = data[at + 8 : at + 8 + length]
            if kind == b"IHDR":
                self.width, self.height, depth, colour, _, _, laced = struct.unpack(">IIBBBBB", body)
                assert depth == 8 and colour in (2, 6) and laced == 0, (depth, colour, laced)
                self.channels = 3 if colour == 2 else 4
            elif kind == b"IDAT":
                packed += body
            at += 12 + length
        self.rows = list(self._rows(zlib.decompress(packed)))

    def _rows(self, raw):
        size, step = self.width * self.channels, self.channels
        above = bytearray(size)
        for y in range(self.height):
            start = y * (size + 1)
            filter_, line = raw[start], bytearray(raw[start + 1 : start + 1 + size])
            for x in range(size):
                left = line[x - step] if x >= step else 0
                up = above[x]
                corner = above[x - step] if x >= step else 0
                if filter_ == 0:
                    break
                if filter_ == 1:
                    guess = left
                elif filter_ == 2:
                    guess = up
                elif filter_ == 3:
                    guess = (left + up) // 2
                else:
                    to_left, to_up = abs(up - corner), abs(left - corner)
                    to_corner = abs(left + up - 2 * corner)
                    guess = left if to_left <= to_up and to_left <= to_corner else up if to_up <= to_corner else corner
                line[x] = (line[x] + guess) & 255
            above = line
            yield bytes(line)

    def places(self, colour):
        """How many dots have exactly this colour, and the first and last line with twelve of them side by side.

        Letters are smoothed against their ground, so a run of twelve is a ground and no letter.
        """
        dot = bytes(colour) + (b"\xff" if self.channels == 4 else b"")
        count, lines = 0, []
        for y, row in enumerate(self.rows):
            if dot * 12 in row:
                lines.append(y)
                count += sum(1 for x in range(0, len(row), self.channels) if row[x : x + self.channels] == dot)
        return count, (lines[0], lines[-1]) if lines else None


def draw(page, picture, width, height=900):
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert browser, "no chromium: `make browser` installs it"
    profile = picture + ".profile"
    command = [
        browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
        "--force-color-profile=srgb", "--force-device-scale-factor=1", "--no-first-run",
        f"--user-data-dir={profile}", f"--window-size={width},{height}", f"--screenshot={picture}", f"file://{page}",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    shutil.rmtree(profile, ignore_errors=True)
    assert done.returncode == 0 and os.path.exists(picture), f"chromium: {done.stderr[-2000:]}"
    return Picture(picture)


def cover(dhole, folder, name, cases):
    rules, file, page = (os.path.join(folder, name + end) for end in (".json", ".cases.json", ".html"))
    with open(rules, "w") as out:
        out.write(RULES)
    with open(file, "w") as out:
        json.dump(cases, out)
    done = subprocess.run([dhole, "rules", "coverage", rules, file, "--html", page], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return page


def main():
    dhole, folder = sys.argv[1], os.path.abspath(sys.argv[2])
    page = cover(dhole, folder, "page", CASES)
    with open(page) as file:
        told = re.findall(r'class="badge">([^<]+)<', file.read())
    assert told == list(BADGES), told

    wide = draw(page, os.path.join(folder, "wide.png"), 1280)
    if len(sys.argv) > 3:
        shutil.copy(os.path.join(folder, "wide.png"), sys.argv[3])
    assert (wide.width, wide.height) == (1280, 900), (wide.width, wide.height)
    white = sum(row.count(b"\xff" * wide.channels) for row in wide.rows) / (wide.width * wide.height)
    assert 0.5 < white < 0.98, f"{white:.3f} of the picture is blank"

    # Each badge is there, filled, and they stand one below another in the order of the rules.
    below = 0
    for verdict, colour in BADGES.items():
        count, lines = wide.places(colour)
        assert lines and count > 300, f"{verdict}: {count} dots"
        # The bar on top has the colour of `both`, too.
        assert lines[1] > below, f"{verdict} ends at {lines[1]}, above {below}"
        below = lines[1]
    # The parts that were one-sided are marked in the colours that the key explains.
    for kind, colour in PARTS.items():
        count, lines = wide.places(colour)
        assert lines and lines[1] - lines[0] > 60, f"parts of kind {kind}: {count} dots at {lines}"

    # One of five was both: the bar is a fifth as wide as its ground is.
    bar = max(row.count(bytes(BADGES["both"]) + b"\xff" * (wide.channels - 3)) for row in wide.rows[:220])
    ground = max(row.count(b"\xee\xee\xee" + b"\xff" * (wide.channels - 3)) for row in wide.rows[:220])
    assert abs(bar / (bar + ground) - 0.2) < 0.02, f"the bar has {bar} dots on {ground}"

    # On a telephone's width, the verdicts are still there.
    narrow = draw(page, os.path.join(folder, "narrow.png"), 500, 1800)
    for verdict, colour in BADGES.items():
        count, lines = narrow.places(colour)
        assert lines and count > 300, f"{verdict}, narrow: {count} dots"

    # With cases for everything nothing is red.
    full = dict(CASES, cases=CASES["cases"] + [{"as": "mia", "read": "never", "expect": "deny"}])
    other = draw(cover(dhole, folder, "other", full), os.path.join(folder, "other.png"), 1280)
    count, lines = other.places(BADGES["never asked"])
    assert lines is None, f"asked, and still {count} dots of the colour of never asked"
    print("done coverage page")


main()
