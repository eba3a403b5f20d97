"""The settings: read here and nowhere else, from the environment, `.env` and a secrets directory.

`load` gives `Loaded` or `Refused`, with everything that is wrong at once; `listening` only where a worker answers. The
rest of the worker takes small frozen
dataclasses that the composition root fills; it never sees `Settings`. A setting's name in the environment is its
field's, in upper case. `docs/reference/settings.md` is generated from the fields.
"""

from worker.settings.load import Listening, Loaded, Purpose, Refused, listening, load
from worker.settings.model import Settings
from worker.settings.rules import Problem

__all__ = ["Listening", "Loaded", "Problem", "Purpose", "Refused", "Settings", "listening", "load"]
