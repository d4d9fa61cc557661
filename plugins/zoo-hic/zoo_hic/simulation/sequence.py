"""Sequence whose boundary sites, and only they, are near the consensus.

    background ── sites, decoys written over it ── scan ── a hit that was not planted? break it, scan again ── codes

A site is a word with at most `MapSettings.mismatches` mismatches to the consensus on one strand.  Chance hits are
broken, so `find_sites(codes, settings)` gives exactly the table of planted sites: the sequence alone holds the truth,
also after an edit.
"""

from __future__ import annotations

import numba
import numpy as np

from zoo.data.codes import reverse_complement
from zoo.errors import ConfigError, DataError
from zoo_hic.simulation.settings import MOTIF, MapSettings, encode_consensus

_ROUNDS = 50


def plant(rng: np.random.Generator, bins: int, settings: MapSettings) -> tuple[np.ndarray, np.ndarray]:
    """(bins x resolution,) uint8 codes, and the table (dtype MOTIF) of the sites in them, sorted.

    At most one site lies in a bin, and wholly inside it, so that turning the sequence round turns the bins round.
    """
    if bins < settings.gap:
        raise ConfigError(f"{bins} bins hold no boundary: give at least {settings.gap}, the least gap between two")
    consensus = encode_consensus(settings.motif)
    width, resolution = len(consensus), settings.resolution
    drawn = rng.random(bins * resolution, dtype=np.float32)
    codes = np.zeros(len(drawn), np.uint8)
    for edge in ((1 - settings.gc) / 2, 0.5, (1 + settings.gc) / 2):
        codes += drawn > np.float32(edge)

    here = _boundary_bins(rng, bins, settings)
    sites = np.zeros(len(here), MOTIF)
    sites["position"] = here * resolution + rng.integers(0, resolution - width + 1, len(here))
    sites["strand"] = np.where(rng.random(len(here)) < settings.forward, 1, -1)
    sites["width"] = width
    wrong = rng.choice(len(settings.shares), len(here), p=settings.shares)
    sites["strength"] = np.array(settings.strengths, np.float32)[wrong]
    taken = np.zeros(len(codes), bool)
    for site, mismatches in zip(sites, wrong, strict=True):
        _write(codes, taken, site["position"], site["strand"], _mutate(rng, consensus, mismatches))
    fixed = taken.copy()
    for _ in range(round(settings.decoys * len(sites))):
        position = int(rng.integers(0, len(codes) - width + 1))
        if not taken[position : position + width].any():
            _write(codes, taken, position, rng.choice([-1, 1]), _decoy(rng, consensus, settings.mismatches))
    _break_chance_hits(rng, codes, sites, fixed, settings)
    return codes, sites


def find_sites(codes: np.ndarray, settings: MapSettings) -> np.ndarray:
    """The sites (dtype MOTIF) in codes (L,) uint8, 0 to 3, and 4 for any base, which matches nothing; sorted."""
    consensus = encode_consensus(settings.motif)
    codes = np.ascontiguousarray(codes, np.uint8)
    if codes.ndim != 1 or (len(codes) and codes.max() > 4):
        raise DataError(f"codes of shape {codes.shape} are no sequence: give one row of 0 to 4")
    position, strand, wrong = _scan(codes, consensus, reverse_complement(consensus), settings.mismatches)
    out = np.zeros(len(position), MOTIF)
    out["position"], out["strand"], out["width"] = position, strand, len(consensus)
    out["strength"] = np.array(settings.strengths, np.float32)[wrong]
    return out


def invert_sites(codes: np.ndarray, sites: np.ndarray) -> np.ndarray:
    """A copy of codes in which each of the sites is replaced by its reverse complement, in place."""
    codes = codes.copy()
    for site in np.atleast_1d(sites):
        here = slice(site["position"], site["position"] + site["width"])
        codes[here] = reverse_complement(codes[here])
    return codes


def erase_sites(rng: np.random.Generator, codes: np.ndarray, sites: np.ndarray, settings: MapSettings) -> np.ndarray:
    """A copy of codes in which each of the sites is replaced by random bases that are no site; lengths stay."""
    codes = codes.copy()
    p = np.array([1 - settings.gc, settings.gc, settings.gc, 1 - settings.gc]) / 2
    for site in np.atleast_1d(sites):
        first, end = site["position"], site["position"] + site["width"]
        around = slice(max(0, first - site["width"]), end + site["width"])
        kept = (find_sites(codes[around], settings)["position"] + around.start != first).sum()
        for _ in range(_ROUNDS):
            codes[first:end] = rng.choice(4, site["width"], p=p)
            if len(find_sites(codes[around], settings)) == kept:
                break
        else:
            raise ConfigError(f"random bases match motif {settings.motif} too often: allow fewer mismatches")
    return codes


def _boundary_bins(rng, bins, settings):
    """Increasing; the first gap starts outside the contig, so that its ends are like its middle."""
    spare = settings.spacing - settings.gap
    number = int(2 * bins / settings.spacing) + 20
    at = np.cumsum(settings.gap + np.floor(rng.exponential(spare + 0.5, number) if spare else np.zeros(number)))
    at = at.astype(np.int64) - int(rng.integers(0, round(settings.spacing) + 1))
    return at[(at >= 0) & (at < bins)]


def _mutate(rng, consensus, mismatches):
    word = consensus.copy()
    at = rng.choice(len(word), mismatches, replace=False)
    word[at] = (word[at] + rng.integers(1, 4, mismatches)) % 4
    return word


def _decoy(rng, consensus, mismatches):
    """One of three kinds; that it is no site is left to the scan."""
    kind, width = rng.integers(3), len(consensus)
    if kind == 0:
        half = slice(0, width // 2) if rng.random() < 0.5 else slice(width // 2, width)
        word = rng.integers(0, 4, width).astype(np.uint8)
        word[half] = consensus[half]
        return word
    if kind == 1:
        return rng.permutation(consensus)
    return _mutate(rng, consensus, min(width, mismatches + int(rng.integers(2, 4))))


def _write(codes, taken, position, strand, word):
    here = slice(position, position + len(word))
    codes[here] = word if strand > 0 else reverse_complement(word)
    taken[here] = True


def _break_chance_hits(rng, codes, sites, fixed, settings):
    """Changes bases outside the sites until the scan finds the sites alone."""
    wanted = {(int(s["position"]), int(s["strand"])) for s in sites}
    for _ in range(_ROUNDS):
        chance = [s for s in find_sites(codes, settings) if (int(s["position"]), int(s["strand"])) not in wanted]
        if not chance:
            return
        for hit in chance:
            free = hit["position"] + np.flatnonzero(~fixed[hit["position"] : hit["position"] + hit["width"]])
            if not len(free):
                raise ConfigError(f"motif {settings.motif} matches itself on the other strand: take another")
            at = rng.choice(free, min(3, len(free)), replace=False)
            codes[at] = (codes[at] + rng.integers(1, 4, len(at))) % 4
    raise ConfigError(f"motif {settings.motif} occurs by chance too often: take a longer one or allow fewer mismatches")


@numba.njit(nogil=True, cache=True)
def _scan(codes, forward, backward, most):
    position, strand, wrong = [0][:0], [0][:0], [0][:0]
    width = len(forward)
    for first in range(len(codes) - width + 1):
        for way in (1, -1):
            word = forward if way > 0 else backward
            bad = 0
            for k in range(width):
                if codes[first + k] != word[k]:
                    bad += 1
                    if bad > most:
                        break
            if bad <= most:
                position.append(first)
                strand.append(way)
                wrong.append(bad)
    return np.array(position, np.int64), np.array(strand, np.int64), np.array(wrong, np.int64)
