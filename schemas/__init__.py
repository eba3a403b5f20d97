"""The contract of the invoice worker: what producers write and what readers get. Needs pydantic and nothing else.

`events` is the input, `outcomes` and `dead_letters` the output, `identity` the record's key and partition, `jsontext`
JSON that keeps money digit by digit. JSON Schemas of all of it lie in `json/`, examples in `examples/`.
"""

from typing import Final

CONTRACT_VERSION: Final = "1.0.0"
"""Semantic version of the contract as a whole; the record formats carry versions of their own."""
