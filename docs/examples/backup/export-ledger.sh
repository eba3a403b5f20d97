#!/bin/sh
# Writes the ledger to a file, a line for each record: partition, key, value. export-ledger.sh FILE [BOOTSTRAP [TOPIC]]
# Only what is committed; the order within a partition is kept. It may run beside the workers.
set -eu
kcat -C -b "${2:-localhost:9092}" -t "${3:-invoice.ledger}" -o beginning -e -q -X isolation.level=read_committed \
  -f '%p\t%k\t%s\n' >"$1.part"
mv "$1.part" "$1"
