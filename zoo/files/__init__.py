"""Files in general: tables, compressed bytes, writing whole or not at all, where the files of zoo lie."""
