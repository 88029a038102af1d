"""What is measured. To add a section, add it to `SECTIONS`."""

from benchmarks.section import Section
from benchmarks.sections import busy, connections, ingest, paging, reads, sockets

SECTIONS: tuple[Section, ...] = (
    reads.SECTION,
    paging.SECTION,
    connections.SECTION,
    sockets.SECTION,
    ingest.SECTION,
    # Last: it changes the catalogue.
    busy.SECTION,
)
