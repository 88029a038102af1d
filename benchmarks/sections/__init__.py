"""What is measured. To add a section, add it to `SECTIONS`."""

from benchmarks.section import Section
from benchmarks.sections import busy, connections, ingest, paging, reads, sockets, start

SECTIONS: tuple[Section, ...] = (
    reads.SECTION,
    paging.SECTION,
    connections.SECTION,
    sockets.SECTION,
    ingest.SECTION,
    start.SECTION,
    # Last: it changes the catalogue.
    busy.SECTION,
)
