"""What is measured. To add a section, add it to `SECTIONS`."""

from benchmarks.section import Section
from benchmarks.sections import reads

SECTIONS: tuple[Section, ...] = (reads.SECTION,)
