"""What a published tool does with a variant of a gene: which bases it looks at, how alleles are laid on one another.

    SpliceAI 1.3.1: D bases on either side; masks what it picked
    CI-SpliceAI 1.2.2: the bases of REF and D on either side, one more if that is odd; masks before it picks

Both read the strand of the gene, with N in place of every base outside of its bounds, and an alternate allele without
the flank that it would draw in.  Where a length changes, deleted bases count as 0, and inserted ones with the base in
front by their maximum, so that both alleles have a number for each base of the reference.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zoo_splice.variants.genes import Gene

ACCEPTOR, DONOR = 1, 2


@dataclass(frozen=True)
class Convention:
    """key: of INFO.  described: how its header describes it; {distance} and {mask} are filled in.

    of_reference: whether REF is in the bases that are looked at, beyond D.  zeros_behind: of a deletion, whether the
    zeros lie behind the bases of ALT, or in front of them.  last_base: whether the last base of a gene is of the gene.
    masks_first: masks before the largest changes are picked, by known acceptors and donors; otherwise what was picked
    is masked, by the nearest end of an exon of either kind.
    """

    key: str
    described: str
    of_reference: bool
    zeros_behind: bool
    last_base: bool
    masks_first: bool

    def outputs(self, position: int, reference: int, distance: int) -> tuple[int, int]:
        """First base, and one past the last, that is looked at; position: of the first of `reference` bases of REF.

        >>> CI_SPLICEAI.outputs(100, 1, 50), SPLICEAI.outputs(100, 1, 50)
        ((50, 152), (50, 151))
        """
        if not self.of_reference:
            return position - distance, position + max(distance, reference - 1) + 1
        return position - distance, position + distance + reference + reference % 2

    def bounds(self, gene: Gene) -> tuple[int, int]:
        """Bases of a gene, 0-based half-open, beyond which all is N, and in which a variant must begin."""
        return gene.start, gene.end if self.last_base else gene.end - 1

    def lay(self, alternate: np.ndarray, distance: int, reference: int, letters: int) -> np.ndarray:
        """(K, outputs + letters - reference) of the alternate allele -> (K, outputs) at the bases of the reference.

        reference, letters: bases of REF and of ALT, the first of which is output `distance`.
        """
        longer = letters - reference
        if longer > 0:
            kept = distance + (reference - 1 if self.zeros_behind else 0)
            merged = alternate[:, kept : kept + longer + 1].max(1, keepdims=True)
            return np.concatenate([alternate[:, :kept], merged, alternate[:, kept + longer + 1 :]], 1)
        if longer < 0:
            at = distance + (letters if self.zeros_behind else 0)
            zeros = np.zeros((len(alternate), -longer))
            return np.concatenate([alternate[:, :at], zeros, alternate[:, at:]], 1)
        return alternate

    def deltas(
        self, reference: np.ndarray, alternate: np.ndarray, first: int, position: int, gene: Gene | None, mask: bool
    ) -> tuple[list[float], list[int]]:
        """Gain and loss of acceptors, of donors, and where they are, in bp from the variant.

        reference, alternate: (3, outputs) probabilities at the bases from `first` on.  gene: None for no known site.
        """
        if self.masks_first:
            change = alternate - reference
            if mask:
                change = _masked(change, first, gene)
            sides = [(change[k], -change[k]) for k in (ACCEPTOR, DONOR)]
        else:
            sides = [(alternate[k] - reference[k], reference[k] - alternate[k]) for k in (ACCEPTOR, DONOR)]
        scores, places = [], []
        for gain, loss in sides:
            for side, is_loss in ((gain, False), (loss, True)):
                at = int(side.argmax())
                score, place = side[at], at + first - position
                if mask and not self.masks_first and gene is not None:
                    score = score * (1 - int((place == _nearest(gene, position)) != is_loss))
                scores.append(float(score))
                places.append(place)
        return scores, places


def _masked(change: np.ndarray, first: int, gene: Gene | None) -> np.ndarray:
    """Without gains of known sites and losses of others."""
    change = change.copy()
    for kind, sites in ((ACCEPTOR, gene.acceptors), (DONOR, gene.donors)) if gene else ((ACCEPTOR, ()), (DONOR, ())):
        known = np.zeros(change.shape[1], bool)
        inside = np.asarray(sites, np.int64) - first
        known[inside[(inside >= 0) & (inside < len(known))]] = True
        lost = change[kind] < 0
        change[kind, lost != known] = 0
    return change


def _nearest(gene: Gene, position: int) -> int:
    """bp to the nearest end of an exon, of two as near the one with the lower place."""
    return int(min(gene.exon_ends - position, key=abs))


_DESCRIBED = (
    "These include delta scores (DS) and delta positions (DP) for acceptor gain (AG), acceptor loss (AL), donor gain "
    "(DG), and donor loss (DL). Format: ALLELE|SYMBOL|DS_AG|DS_AL|DS_DG|DS_DL|DP_AG|DP_AL|DP_DG|DP_DL"
)
SPLICEAI = Convention("SpliceAI", _DESCRIBED, False, True, True, False)
CI_SPLICEAI = Convention("CISpliceAI", _DESCRIBED, True, False, False, True)
