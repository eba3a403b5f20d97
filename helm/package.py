"""`python -m helm.package` lints the chart with every file in `ci/` and packages it into `dist/`.

Helm's own engine from PyPI (helm-python-sdk): no `helm` is needed. Exit status 1 where it finds something.
"""

import sys
from pathlib import Path
from typing import Any

import helm_python
import yaml

CHART = Path(__file__).parent


def examples() -> list[Path]:
    """The values files, one for each feature."""
    return sorted((CHART / "ci").glob("*-values.yaml"))


def findings(values: dict[str, Any]) -> list[str]:
    """What lint says against the chart with these values; hints (an icon is recommended) are left out."""
    report = helm_python.lint(CHART, values, strict=True, kube_version="v1.31.0")
    said = [f"{message['path']}: {message['error']}" for message in report["messages"] if message["severity"] > 1]
    return said + [str(error) for error in report["errors"]]


def main() -> int:
    """Lint, then package. Returns the exit status."""
    wrong = 0
    for path in examples():
        for found in findings(yaml.safe_load(path.read_text(encoding="utf-8"))):
            print(f"{path.name}: {found}", file=sys.stderr)
            wrong += 1
    if wrong:
        return 1
    target = CHART.parent / "dist"
    target.mkdir(exist_ok=True)
    print(helm_python.package(CHART, destination=target))
    return 0


if __name__ == "__main__":
    sys.exit(main())
