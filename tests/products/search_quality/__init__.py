"""What search should find: real offers, queries, and who judges the answers. `queries.jsonl` has one query a line.

`finds` holds, for each word of a query, the spellings of which an offer must bear one; `ids` are the offers that do.
`may` are texts that only sound like the query: an offer with one of them counts neither for nor against. Queries
without `finds` were judged by hand.
"""
