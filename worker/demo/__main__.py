"""`python -m worker.demo` is `worker demo`."""

import sys

from worker.demo.run import main

if __name__ == "__main__":
    sys.exit(main())
