"""Signal tracks along a genome (coverage, accessibility, conservation) as binned windows, memory-mapped.

bigWig, bedGraph, BED, fragments -> runs of equal value in the cache -> windows (N, A, T)
"""

from zoo.data.signals.signal_store import SignalStore, Track, tracks_by_file

__all__ = ["SignalStore", "Track", "tracks_by_file"]
