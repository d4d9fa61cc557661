"""Files of motifs of any of the usual formats; what stands in a file decides how it is read, not its name.

    MEME        MOTIF id name; letter-probability matrix: w= 2     one row a position (zoo_motifs.meme)
    TRANSFAC    AC id; ID name; P0 A C G T; 01 ...; //             one row a position, counts or probabilities
    JASPAR      >id name; A [ 0 3 79 ... ] or four bare rows       one row a base, counts; .pfm without > as well
    HOMER       >consensus <tab> name <tab> threshold ...          one row a position, probabilities
    HOCOMOCO    >id                                                one row a position: .pcm, .pfm, .pwm
    CisBP       Pos A C G T; 1 ...                                 one row a position, probabilities

Numbers that sum to one are probabilities, others counts.  A matrix with numbers below 0 holds log-odds: probabilities
are computed from it where equal base frequencies are the background, which shows in that 1/4 exp(x), or 1/4 2^x, sums
to one in every column; else it is refused.  TOMTOM takes counts over their sum, without a pseudocount; the bits of a
logo take a pseudocount of 0.8 (`zoo.data.motifs.Motif`).

Bio.motifs reads most of these, but must be told which, names no line, and takes the next motif's rows for one that is
missing: here one bad motif is left out with a note, and the others are read.
"""

from zoo_motifs.motif_files.formats import read_motifs

__all__ = ["read_motifs"]
