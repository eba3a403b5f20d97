"""Print a counterexample briefly: the action of each step; with -v also the variables that it changed.

python trace.py NAME [-v]
"""

import re
import sys

from run import OUT

_STATE = re.compile(r"^State (\d+): <(.*?)(?: line .*?)?>\n(.*?)\n\n", re.MULTILINE | re.DOTALL)
_VARIABLE = re.compile(r"^/\\ (\w+) = (.*?)(?=^/\\ |\Z)", re.MULTILINE | re.DOTALL)


def main() -> int:
    """Read the configuration's output; 1 when it holds no counterexample."""
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    before: dict[str, str] = {}
    states = list(_STATE.finditer((OUT / f"{sys.argv[1]}.out").read_text()))
    for state in states:
        sys.stdout.write(f"{state[1]:>3} {state[2]}\n")
        now = {found[1]: " ".join(found[2].split()) for found in _VARIABLE.finditer(state[3] + "\n")}
        if "-v" in sys.argv:
            for name, value in now.items():
                if before.get(name) != value:
                    sys.stdout.write(f"      {name} = {value[:600]}\n")
        before = now
    return 0 if states else 1


if __name__ == "__main__":
    sys.exit(main())
