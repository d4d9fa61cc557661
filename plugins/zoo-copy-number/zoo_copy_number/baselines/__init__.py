"""What a network has to beat: three old ways to call copy number from depth, on one corrected log2 ratio.

    Bins ── corrected_log2 ──> log2 ratio ──┬─ Threshold       running median
                                            ├─ Pelt            change points of ruptures
                                            ├─ CircularBinary  segments of DNAcopy, where R is installed
                                            └─ HiddenMarkov    Viterbi path of hmmlearn
                                                  └──> copies of each bin, NaN where none can be given

A baseline knows what the network knows: bins, sex, and never the purity.  `tune` chooses its settings on samples of
known copy number.
"""

from zoo_copy_number.baselines.correction import corrected_log2
from zoo_copy_number.baselines.tuning import BASELINES, call_baseline, tune

__all__ = ["BASELINES", "call_baseline", "corrected_log2", "tune"]
