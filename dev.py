#!/usr/bin/env python3
"""One command to run eckit's demo and one to run its tests, on a machine with nothing but Python 3.11 or later.

    python3 dev.py demo [arguments]          run the demo shop
    python3 dev.py test [pytest arguments]   all tests on both databases, then imports, types, lint and docs;
                                             with paths or -k, only pytest on those
    python3 dev.py soak [pytest arguments]   the tests that run for minutes
    python3 dev.py lint | docs               only the checks of the code, or only the documentation
    python3 dev.py bench [arguments]         the benchmarks
    python3 dev.py lock                      write requirements.lock.txt anew (needs uv)

Each makes the environment .venv first, from the hashed versions of requirements.lock.txt, and keeps it until that file
or a pyproject.toml changes.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = str(BIN / "python")
STAMP = VENV / "eckit-installed"
LOCK = ROOT / "requirements.lock.txt"


def main(arguments: list[str]) -> int:
    commands = {"demo": demo, "test": test, "soak": soak, "lint": lint, "docs": docs, "bench": bench, "lock": lock}
    if sys.version_info < (3, 11):
        print(f"eckit needs Python 3.11 or later; this is {sys.version.split()[0]}", file=sys.stderr)
        return 2
    if not arguments or arguments[0] not in commands:
        print(__doc__, file=sys.stderr)
        return 0 if arguments[:1] in (["-h"], ["--help"], ["help"]) else 2
    try:
        return commands[arguments[0]](arguments[1:])
    except KeyboardInterrupt:
        return 130


# Commands


def demo(arguments: list[str]) -> int:
    prepare()
    return subprocess.call([BIN / "eckit", "demo", *arguments])


def test(arguments: list[str]) -> int:
    """Run everything and print what came of it; the last line has the numbers."""
    prepare()
    paths = [argument for argument in arguments if Path(argument.split("::")[0]).exists()]
    workers = [] if any(argument.startswith("-n") for argument in arguments) else ["-n", "2", "--dist", "worksteal"]
    numbers, ran = run_pytest([*workers, *from_root(arguments)])
    report = [f"tests: {numbers['passed']} passed, {numbers['failed']} failed, {numbers['skipped']} skipped"]
    report += [f"ran on {database}: {count}" for database, count in ran.items()]
    if "--no-postgres" in arguments:
        report.append("PostgreSQL was left out by --no-postgres")
    if not paths and "-k" not in arguments:
        for name, command in checks().items():
            passed = run_check(name, command)
            numbers["passed" if passed else "failed"] += 1
            report.append(f"{name}: {'passed' if passed else 'FAILED'}")
    heading("summary")
    print("\n".join(report))
    print(f"eckit: {numbers['passed']} passed, {numbers['failed']} failed, {numbers['skipped']} skipped", flush=True)
    return 1 if numbers["failed"] else 0


def soak(arguments: list[str]) -> int:
    prepare()
    return subprocess.call([PYTHON, "-m", "pytest", "-m", "soak", *from_root(arguments)], cwd=ROOT)


def lint(arguments: list[str]) -> int:
    return run_checks(["imports", "types", "lint", "format"])


def docs(arguments: list[str]) -> int:
    if not (ROOT / "docs" / "conf.py").exists():
        raise SystemExit("there is no documentation to build: docs/conf.py is missing")
    return run_checks(["docs"])


def bench(arguments: list[str]) -> int:
    prepare()
    return subprocess.call([PYTHON, "-m", "benchmarks", *arguments], cwd=ROOT)


def lock(arguments: list[str]) -> int:
    """Resolve all versions anew. uv's own lock file names registry addresses, so it is not kept."""
    uv = shutil.which("uv") or str(BIN / "uv")
    everything = ["--all-packages", "--no-emit-workspace", "--all-extras", "--all-groups"]
    try:
        subprocess.run([uv, "lock", *arguments], cwd=ROOT, check=True)
        export = [uv, "export", "--frozen", *everything, "--no-header", "--no-annotate", "--quiet", "-o", str(LOCK)]
        subprocess.run(export, cwd=ROOT, check=True)
    finally:
        (ROOT / "uv.lock").unlink(missing_ok=True)
    return 0


# Tests and checks


def checks() -> dict[str, list[str]]:
    """The checks beside the tests, each by the command that runs it."""
    module = [PYTHON, "-m"]
    found = {
        # without its cache, which has reported imports of a file that had become a folder
        "imports": [str(BIN / "lint-imports"), "--no-logo", "--no-cache"],
        "types": [*module, "mypy"],
        "lint": [*module, "ruff", "check", "--quiet", "."],
        "format": [*module, "ruff", "format", "--check", "--quiet", "."],
    }
    if (ROOT / "docs" / "conf.py").exists():
        found["docs"] = [*module, "sphinx", "-W", "--keep-going", "-q", "docs", "docs/_build/html"]
    return found


def run_checks(names: list[str]) -> int:
    prepare()
    results = [run_check(name, command) for name, command in checks().items() if name in names]
    return 0 if all(results) else 1


def run_check(name: str, command: list[str]) -> bool:
    heading(name)
    begun = time.monotonic()
    passed = subprocess.call(command, cwd=ROOT) == 0
    print(f"{name}: {'passed' if passed else 'FAILED'} in {time.monotonic() - begun:.0f} s", flush=True)
    return passed


def run_pytest(arguments: list[str]) -> tuple[dict[str, int], dict[str, int]]:
    """Run pytest; return how many tests passed, failed and were skipped, and how many ran on each database."""
    heading("tests")
    with tempfile.TemporaryDirectory(prefix="eckit-", dir=memory()) as directory:
        Path(directory).chmod(0o711)  # a PostgreSQL server started by root runs as nobody
        summary = Path(directory, "summary.json")
        command = [PYTHON, "-m", "pytest", "--summary-to", str(summary), *arguments]
        code = subprocess.call(command, cwd=ROOT, env={**os.environ, "TMPDIR": directory})
        found = json.loads(summary.read_text()) if summary.exists() else {"stats": {}, "ran": {}}
    stats = found["stats"]
    failed = stats.get("failed", 0) + stats.get("error", 0)
    if code != 0 and failed == 0:  # pytest itself failed: no test was found, a skip is not listed, a crash
        failed = 1
    return {"passed": stats.get("passed", 0), "failed": failed, "skipped": stats.get("skipped", 0)}, found["ran"]


def memory() -> str | None:
    """A folder in memory for the thousands of small databases of the tests; None where there is none of use."""
    place = Path("/dev/shm")
    if "TMPDIR" in os.environ or not place.is_dir() or not os.access(place, os.W_OK):
        return None
    found = os.statvfs(place)
    roomy = found.f_bavail * found.f_frsize > 4 * 2**30
    return str(place) if roomy and not found.f_flag & os.ST_NOEXEC else None


def from_root(arguments: list[str]) -> list[str]:
    """Arguments that name files or folders from where the caller stands, as absolute paths."""
    return [
        str(Path(argument).resolve()) if Path(argument.split("::")[0]).exists() else argument for argument in arguments
    ]


def heading(text: str) -> None:
    print(f"\n── {text} ".ljust(100, "─"), flush=True)


# The environment


def prepare() -> None:
    """Make or update .venv, unless it is what the lock file and the projects ask for already."""
    projects = [ROOT, *sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))]
    wanted = fingerprint([LOCK, *(project / "pyproject.toml" for project in projects)])
    if STAMP.exists() and STAMP.read_text() == wanted:
        return
    base = getattr(sys, "_base_executable", sys.executable)
    if not runs_this_python():
        print(f"making {VENV.name} with Python {sys.version.split()[0]}", flush=True)
        subprocess.run([base, "-m", "venv", "--clear", VENV], check=True)
    STAMP.unlink(missing_ok=True)
    pip(
        # The file is complete. Asked to resolve extras, pip before 23.3 meets releases newer than it, and refuses.
        ["--no-deps", "--require-hashes", "-r", str(LOCK)],
        "libraries",
        expected=len(re.findall(r"^\S+==", LOCK.read_text(), re.MULTILINE)),
    )
    editable = [part for project in projects for part in ("-e", str(project))]
    pip(["--no-deps", "--no-build-isolation", *editable], "eckit and its plugins", expected=len(projects))
    subprocess.run([PYTHON, "-m", "pip", "check", "--quiet"], check=True)
    STAMP.write_text(wanted)


def fingerprint(files: list[Path]) -> str:
    digest = hashlib.sha256(sys.version.encode())
    for file in files:
        digest.update(str(file).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def runs_this_python() -> bool:
    """Whether .venv exists and is of the Python version that runs this file."""
    if not Path(PYTHON).exists():
        return False
    asked = subprocess.run(
        [PYTHON, "-c", "import sys; print(sys.version)"], capture_output=True, text=True, check=False
    )
    return asked.returncode == 0 and asked.stdout.strip() == sys.version.strip()


def pip(arguments: list[str], what: str, *, expected: int) -> None:
    """Install with pip, with one line that moves on a terminal; what pip says is shown only if it fails."""
    command = [PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
    begun, seen, said = time.monotonic(), 0, []
    moving = sys.stdout.isatty()
    if not moving:
        print(f"installing {what} ({expected}) ...", flush=True)
    process = subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    for line in process.stdout or ():
        said.append(line)
        seen += line.startswith(("Collecting ", "Requirement already satisfied", "Obtaining "))
        if moving:
            print(f"\rinstalling {what}: {min(seen, expected)} of {expected}", end="", flush=True)
    if process.wait() != 0:
        print("\n" + "".join(said[-40:]), file=sys.stderr)
        raise SystemExit(f"pip could not install {what}")
    lead = "\r" if moving else ""
    print(f"{lead}installed {what} in {time.monotonic() - begun:.0f} s".ljust(60), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
