"""MEME minimal motif format: https://meme-suite.org/meme/doc/meme-format.html

    MEME version 4                                      may be missing in files of other programs
    ALPHABET= ACGT                                      likewise; RNA's U reads as T
    Background letter frequencies                       likewise
    A 0.25 C 0.25 G 0.25 T 0.25
    MOTIF MA0139.2 CTCF                                 identifier, and a name that may be missing
    letter-probability matrix: alength= 4 w= 2 nsites= 20 E= 0     every key may be missing
    0.1 0.7 0.1 0.1                                     one row a position, A C G T
    0.9 0.0 0.1 0.0

The same keywords are found in the full text output of MEME and STREME.  Log-odds matrices are passed over, since they
say nothing of the number of sites.  A motif without a matrix is left out.  What had to be guessed, mended or left out
is in the notes of the `MotifFile`.
"""

from zoo_motifs.meme.reader import is_meme, parse_meme, read_meme
from zoo_motifs.meme.writer import label, write_meme

__all__ = ["is_meme", "label", "parse_meme", "read_meme", "write_meme"]
