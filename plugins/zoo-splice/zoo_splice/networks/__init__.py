"""Published networks of splice sites: their architecture as an encoder and a head, and what reads their weights."""
