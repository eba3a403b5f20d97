#!/bin/sh
# Writes one invoice event with kcat, a CloudEvent in binary mode: produce-binary.sh [BOOTSTRAP [TOPIC]]
set -eu
examples=$(dirname "$0")/../../../schemas/examples
kcat -P -b "${1:-localhost:9092}" -t "${2:-invoice.requests}" -X partitioner=murmur2_random \
  -k '10759/Invoice/20001' \
  -H ce_specversion=1.0 -H ce_id=b6a1c0de-0001 -H ce_source=/erp/oslo -H ce_type=kravia.invoice.requested.v1 \
  -H content-type=application/json \
  "$examples/invoice-requested.invoice.json"
