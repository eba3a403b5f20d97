"""Where an invoice is, and why: its story out of ledger, journal, outcomes, dead letters and unsettled input.

`subject` what was asked, `reading` reads it from Kafka into `evidence`, `telling` makes a `Story` of that. Nothing here
prints or knows a terminal.
"""
