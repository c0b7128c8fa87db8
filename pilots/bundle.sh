#!/usr/bin/env bash
# bundle.sh CHECKOUT: puts what the device needs into CHECKOUT/.pilot (ignored through .git/info/exclude by whoever runs it); < 1 MB
set -e
here=$(cd "$(dirname "$0")" && pwd); to=$1/.pilot
rm -rf "$to"; mkdir -p "$to/src/course" "$to/pilots"
cp "$here/../src/course/__init__.py" "$here/../src/course/packing.py" "$to/src/course/"
cp -r "$here/../src/course/world" "$to/src/course/"
cp "$here"/*.py "$to/pilots/"
find "$to" -name __pycache__ -prune -exec rm -rf {} +
du -sh "$to"
