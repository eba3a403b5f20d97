#!/bin/sh
# The statement of what observe mode has seen: observed-statement.sh FILE FROM [PREFIX]. FILE: JSON; FROM: date or time.
# Needs the worker's settings. Each observed invoice that Kravia has is named there as `double_at_kravia`.
set -eu
prefix=${3:-observe.}
export KAFKA_GROUP_ID="$prefix${KAFKA_GROUP_ID:-kravia-invoice-worker}"
export TOPIC_REPLAYS="$prefix${TOPIC_REPLAYS:-invoice.replays}"
export TOPIC_JOURNAL="$prefix${TOPIC_JOURNAL:-invoice.journal}"
export TOPIC_LEDGER="$prefix${TOPIC_LEDGER:-invoice.ledger}"
export TOPIC_OUTCOMES="$prefix${TOPIC_OUTCOMES:-invoice.outcomes}"
export TOPIC_DEAD_LETTERS="$prefix${TOPIC_DEAD_LETTERS:-invoice.dead-letters}"
# 1: something is unexplained, which is what is looked for.
worker statement --from "$2" --to "$(date -u -d tomorrow +%Y-%m-%d)" --json "$1" >/dev/null || [ $? = 1 ]
