"""Ways of getting products into PostgreSQL: ours, and others'. `benchmarks.sections.ingest` measures them."""
