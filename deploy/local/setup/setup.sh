#!/bin/sh
# Finds the Python for set-up and runs it: $PYTHON, else the first of python3, python3.13, 3.12, 3.11 that is 3.11 or newer.
# Run from the root of the checkout.
new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

if [ -n "$PYTHON" ]; then
  if ! "$PYTHON" -c '' 2>/dev/null; then echo "PYTHON is $PYTHON, which does not run: name a Python 3.11 or newer." >&2; exit 1; fi
  chosen=$PYTHON
else
  for name in python3 python3.13 python3.12 python3.11; do
    if new_enough "$name"; then chosen=$name; break; fi
  done
fi
if [ -z "$chosen" ]; then
  if ! python3 -c '' 2>/dev/null; then
    echo "Python is missing: install Python 3.11 or newer, on Debian and Ubuntu with \`apt install python3 python3-venv\`." >&2
    exit 1
  fi
  chosen=python3
fi
if ! "$chosen" -c 'import sys; sys.exit(sys.version_info < (3, 6))'; then
  echo "Python 3.11 or newer is needed, and $chosen is far older: install a newer one, or name it, e.g. \`make run PYTHON=python3.12\`." >&2
  exit 1
fi
# A Python between 3.6 and 3.10 says itself which it is.
if ! new_enough "$chosen"; then exec "$chosen" deploy/local/setup/preflight.py --setup; fi
exec "$chosen" -m deploy.local.setup.install "$@"
