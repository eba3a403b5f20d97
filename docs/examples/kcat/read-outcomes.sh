#!/bin/sh
# Prints the outcomes that are there, one line for each: key, id, value. read-outcomes.sh [BOOTSTRAP [TOPIC [LEVEL]]]
# LEVEL read_uncommitted shows what was aborted, too: never bill by that.
set -eu
kcat -C -b "${1:-localhost:9092}" -t "${2:-invoice.outcomes}" -X isolation.level="${3:-read_committed}" \
  -o beginning -e -q -f '%k %h %s\n'
