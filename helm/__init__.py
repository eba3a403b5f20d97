"""The chart, and the code that writes its generated files. None of this is part of the worker."""
