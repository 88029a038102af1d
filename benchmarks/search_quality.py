"""How good search is, by kind of query: recall, precision, MRR and NDCG over the committed quality set.

    python -m benchmarks.search_quality

Starts the embedded servers the tests use, loads the set's offers and asks all its queries (see
`tests/products/search_quality/`). The test fails when recall or precision has become worse than the committed least.
"""

import sys

import pytest

TEST = "tests/products/test_search_quality.py"


def main() -> int:
    """Run the measurement and let its table through."""
    return pytest.main(["--quiet", "--capture=no", "-p", "no:cacheprovider", TEST])


if __name__ == "__main__":
    sys.exit(main())
