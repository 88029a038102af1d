"""dlt's merge of the same feed. A program in dlt's own virtual environment: database address and feed are arguments.

It prints how many seconds each of two passes took, as JSON. Products go into one table and SKUs into another.
"""

import json
import sys
import time
from collections.abc import Iterator
from typing import Any

import dlt


def pages(path: str) -> Iterator[list[dict[str, Any]]]:
    """The feed's products, a thousand at a time."""
    with open(path, "rb") as file:
        rows = [json.loads(line) for line in file]
    yield from (rows[begin : begin + 1000] for begin in range(0, len(rows), 1000))


def main(database: str, path: str) -> None:
    """Import the file twice."""

    merged = dlt.resource(name="products", primary_key="source_id", write_disposition="merge", max_table_nesting=1)
    products = merged(pages)
    pipeline = dlt.pipeline("bench", destination=dlt.destinations.postgres(database), dataset_name="dlt_bench")
    taken = []
    for _ in range(2):
        begin = time.perf_counter()
        pipeline.run(products(path))
        taken.append(time.perf_counter() - begin)
    json.dump(taken, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
