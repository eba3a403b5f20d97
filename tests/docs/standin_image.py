"""`docker` and `cosign`: what is said of the image's build, its signature, and what is attached to it."""

import argparse
import json
import os
import re
import subprocess
from collections.abc import Sequence
from typing import Any

from tests.docs.markdown import ROOT
from tests.docs.standin import Parser, wrong
from tests.supply.sbom import LOCK, on_linux


def docker(words: Sequence[str]) -> int:
    """`build` with the Dockerfile's arguments; `run` with settings of ours."""
    parser = Parser(prog="docker")
    verbs = parser.add_subparsers(dest="verb", required=True)
    build = verbs.add_parser("build")
    build.add_argument("--build-arg", action="append", default=[])
    build.add_argument("-t", "--tag", action="append")
    build.add_argument("--platform")
    build.add_argument("directory")
    run = verbs.add_parser("run")
    run.add_argument("--rm", action="store_true")
    run.add_argument("--read-only", action="store_true")
    run.add_argument("-i", "--interactive", action="store_true")
    run.add_argument("-t", "--tty", action="store_true")
    for option in ("--network", "--tmpfs", "--user", "--name", "--entrypoint", "--stop-timeout"):
        run.add_argument(option)
    for short, option in (("-e", "--env"), ("-v", "--volume"), ("-p", "--publish")):
        run.add_argument(short, option, action="append", default=[])
    run.add_argument("image")
    run.add_argument("words", nargs=argparse.REMAINDER)
    buildx = verbs.add_parser("buildx")
    buildx.add_argument("what", nargs=2)
    buildx.add_argument("image")
    buildx.add_argument("--format")
    for verb in ("push", "pull", "stop"):
        verbs.add_parser(verb).add_argument("name")
    given = parser.parse_args(words)
    if given.verb == "build":
        file = (ROOT / "Dockerfile").read_text(encoding="utf-8")
        for name in (pair.partition("=")[0] for pair in given.build_arg):
            if f"\nARG {name}=" not in file:
                wrong(f"docker build: the Dockerfile has no ARG {name}")
        if given.directory != ".":
            wrong("docker build: the context is the repository's root")
    if given.verb == "buildx":
        return _inspect(given)
    if given.verb == "run":
        settings = dict(pair.partition("=")[::2] for pair in given.env)
        return subprocess.run(["worker", *given.words, "--help"], env=os.environ | settings, check=False).returncode
    return 0


def _inspect(given: Any) -> int:
    """`imagetools inspect`: a digest where none is given, an SBOM of what the image has installed, a provenance."""
    if given.what != ["imagetools", "inspect"]:
        wrong(f"docker buildx {' '.join(given.what)}: only imagetools inspect is known here")
    if given.format is not None and "SBOM" in given.format:
        packages = [{"name": name, "versionInfo": number} for name, number in on_linux(LOCK.read_text("utf-8"))]
        print(json.dumps({"spdxVersion": "SPDX-2.3", "packages": packages}))
    elif given.format is not None and "Provenance" in given.format:
        print("{}")
    return 0


def cosign(words: Sequence[str]) -> int:
    """`verify`: an image by digest, signed by a workflow that is there."""
    parser = Parser(prog="cosign")
    verify = parser.add_subparsers(dest="verb", required=True).add_parser("verify")
    verify.add_argument("image")
    verify.add_argument("--certificate-identity", required=True)
    verify.add_argument("--certificate-oidc-issuer", required=True)
    given = parser.parse_args(words)
    if "@sha256:" not in given.image:
        wrong("cosign verify: a tag may move: name the image by its digest")
    workflow = re.fullmatch(r"https://[^/]+/[^/]+/[^/]+/(\S+)@refs/tags/v\S+", given.certificate_identity)
    if workflow is None or not (ROOT / workflow[1]).is_file():
        wrong(f"cosign verify: {given.certificate_identity} is no workflow of this repository")
    return 0
