"""Finding products by what somebody types: how texts are folded, kept and asked for (docs/search.md)."""
