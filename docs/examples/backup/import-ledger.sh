#!/bin/sh
# Writes such a file into an empty ledger, partition by partition. import-ledger.sh FILE [BOOTSTRAP [TOPIC]]
# Offsets belong to the old inputs: each entry forgets its `settled`, and entries of records without an identity, which
# hold nothing else, are left out.
set -eu
bootstrap=${2:-localhost:9092} topic=${3:-invoice.ledger}
if [ -n "$(kcat -C -b "$bootstrap" -t "$topic" -o beginning -e -q -f '%o ')" ]; then
  echo "$topic holds records already: import into an empty one only" >&2
  exit 1
fi
for partition in $(cut -f 1 "$1" | sort -nu); do
  awk -F '\t' -v partition="$partition" \
    '$1 == partition && ($2 == "!header" || $2 ~ /^[0-9]+\/[A-Za-z]/) {print $2 "\t" $3}' "$1" |
    sed 's/"settled":\[-\{0,1\}[0-9]*,-\{0,1\}[0-9]*\]/"settled":[-1,-1]/' |
    kcat -P -b "$bootstrap" -t "$topic" -p "$partition" -K '\t' -X acks=all -X enable.idempotence=true
done
