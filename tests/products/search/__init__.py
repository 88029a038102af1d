"""The core of search: how texts are folded, kept, read and found."""
