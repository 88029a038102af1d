"""`python -m benchmarks`: measure, keep the results, write the page."""

import sys

from benchmarks.options import read_options
from benchmarks.report import document
from benchmarks.run import run, say


def main() -> int:
    """The whole run; returns the exit code."""
    options = read_options()
    results = run(options)
    if options.document:
        document.write(results, options.document)
        say(f"\n{options.document} is written from {options.results}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
