#!/bin/sh
# Writes one invoice event with kcat, a CloudEvent in structured mode: produce-structured.sh [BOOTSTRAP [TOPIC]]
set -eu
examples=$(dirname "$0")/../../../schemas/examples
kcat -P -b "${1:-localhost:9092}" -t "${2:-invoice.requests}" -X partitioner=murmur2_random \
  -k '10759/Invoice/20001' -H 'content-type=application/cloudevents+json' \
  "$examples/cloudevent-structured.json"
