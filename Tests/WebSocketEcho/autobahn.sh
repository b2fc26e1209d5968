#!/bin/sh
# Plays the Autobahn test suite from PyPI (it needs Python 2.7, with pip: PYTHON2 names it) against ws-echo and counts
# the verdicts. The compression cases (12, 13) are left out: the server never compresses.
set -e
cd "$(dirname "$0")/../.."
python=${PYTHON2:-python2.7}
work=$(mktemp -d)
trap 'kill "$echo" 2>/dev/null; rm -rf "$work"' EXIT
swift build --product ws-echo
"$python" -m pip install --quiet --target "$work/packages" autobahntestsuite
touch "$work/packages/zope/__init__.py"
.build/debug/ws-echo 9017 &
echo=$!
sleep 1
cat > "$work/spec.json" <<END
{"outdir": "$work/reports", "servers": [{"agent": "dhole", "url": "ws://127.0.0.1:9017"}],
 "cases": ["*"], "exclude-cases": ["12.*", "13.*"], "exclude-agent-cases": {}}
END
PYTHONPATH="$work/packages" "$python" -c "
import sys
sys.argv = ['wstest', '-m', 'fuzzingclient', '-s', '$work/spec.json']
from autobahntestsuite.wstest import run
run()" > "$work/log" 2>&1 || cat "$work/log"
python3 - "$work/reports/index.json" <<END
import collections, json, sys
verdicts = json.load(open(sys.argv[1]))["dhole"]
print(len(verdicts), dict(collections.Counter(v["behavior"] for v in verdicts.values())))
bad = [k for k, v in verdicts.items() if not {v["behavior"], v["behaviorClose"]} <= {"OK", "INFORMATIONAL"}]
sys.exit("not as it should be: " + ", ".join(bad) if bad else 0)
END
