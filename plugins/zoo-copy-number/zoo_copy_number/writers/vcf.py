"""VCF 4.3 of calls, with symbolic alleles.

    chr1  1000  DEL_1  N  <DEL>  43.2  PASS  END=5000;SVTYPE=DEL;SVLEN=-4000;IMPRECISE;...  GT:CN:CNQ  0/1:1:43.2

POS is the base before the segment, END its last base, both 1-based; SVLEN is END - POS, negative for a deletion
(sections 1.6.1 and 3 of the specification; 4.4 made it positive).  A segment that begins with its contig has no base
before it, and htslib's region queries lose records at POS 0, which the specification allows: such a segment is
written from its second base on, with CIPOS=-1,0.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.data.codes import decode
from zoo.errors import ConfigError, DataError
from zoo.files.atomic import atomic_path
from zoo_copy_number.calls import Calls, CnvCall

if TYPE_CHECKING:
    from zoo.data.genome import Genome

_CONTIG = re.compile(r"[0-9A-Za-z!#$%&+./:;?@^_|~-][0-9A-Za-z!#$%&*+./:;=?@^_|~-]*", re.ASCII)
_TABIX_END = 1 << 29
_HEADER = (
    '##FILTER=<ID=PASS,Description="All filters passed">',
    '##FILTER=<ID=NOCALL,Description="Copy number could not be told">',
    '##ALT=<ID=DEL,Description="Fewer copies than expected">',
    '##ALT=<ID=DUP,Description="More copies than expected">',
    '##ALT=<ID=CNV,Description="Copy number could not be told, or is the expected one">',
    '##INFO=<ID=END,Number=1,Type=Integer,Description="Last base of the segment">',
    '##INFO=<ID=SVTYPE,Number=1,Type=String,Description="Type of structural variant">',
    '##INFO=<ID=SVLEN,Number=.,Type=Integer,Description="Length of the segment in bp, negative for a deletion">',
    '##INFO=<ID=CIPOS,Number=2,Type=Integer,Description="Range of POS; -1,0 where the segment begins with its contig">',
    '##INFO=<ID=IMPRECISE,Number=0,Type=Flag,Description="Breakpoints are borders of bins">',
    '##INFO=<ID=NBINS,Number=1,Type=Integer,Description="Bins that the call rests on">',
    '##INFO=<ID=LOG2,Number=1,Type=Float,Description="Median log2 of the corrected depth over that of autosomes">',
    '##INFO=<ID=EXPECTED,Number=1,Type=Integer,Description="Copies that the sample should have there">',
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
    '##FORMAT=<ID=CN,Number=1,Type=Integer,Description="Copy number">',
    '##FORMAT=<ID=CNQ,Number=1,Type=Float,Description="Phred quality of the copy number">',
)


def write_vcf(path: str | Path, calls: Calls, *, genome: Genome | None = None, neutral: bool = False) -> int:
    """Write deletions, duplications and regions without a call, and neutral ones if `neutral`; returns how many.

    path: .vcf, or .vcf.gz, which is BGZF and gets an index beside it: .tbi, or .csi where a contig is longer than
        512 Mb.
    genome: for the REF bases, which are N without it.

    Genotypes count the alleles that differ, where they are known: 0/1 for one copy of two, 1/1 for none, 0/1 for
    three copies; ./. for four or more, whose alleles are not known.  Raises DataError for a name that VCF cannot hold.
    """
    path = Path(path)
    packed = path.name.endswith(".gz")
    if not path.name.endswith((".vcf", ".vcf.gz")):
        raise ConfigError(f"{path} must end with .vcf or .vcf.gz: call it so")
    written = [c for c in calls if neutral or c.state != "NEUTRAL"]
    lines = list(_lines(calls, written, genome))
    with atomic_path(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
        if packed:
            _pack(temporary, path, max([0, *calls.sizes.values(), *(c.end for c in written)]))
    return len(written)


def _lines(calls: Calls, written: list[CnvCall], genome: Genome | None) -> Iterator[str]:
    try:
        source = f"zoo-copy-number {version('zoo-copy-number')}"
    except PackageNotFoundError:
        source = "zoo-copy-number"
    sample = re.sub(r"\s", "_", calls.sample) or "sample"
    yield "##fileformat=VCFv4.3"
    yield f"##source={source}"
    for key, value in calls.comments.items():
        key = re.sub(r"[^0-9A-Za-z_.]", "_", str(key))
        yield f"##zoo_{key}={' '.join(str(value).split()).lstrip('<')}"
    for contig in calls.contigs:
        if not _CONTIG.fullmatch(contig):
            raise DataError(f"contig {contig[:40]!r} has a character that VCF forbids in names: rename it")
        size = calls.sizes.get(contig)
        yield f"##contig=<ID={contig}{'' if size is None else f',length={size}'}>"
    yield from _HEADER
    yield "\t".join(("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", sample))
    number: dict[str, int] = {}
    for call in written:
        kind = call.state if call.state in ("DEL", "DUP") else "CNV"
        number[kind] = number.get(kind, 0) + 1
        yield _record(call, kind, number[kind], genome)


def _record(call: CnvCall, kind: str, number: int, genome: Genome | None) -> str:
    pos = max(call.start, 1)
    length = call.end - pos
    info = [
        f"END={call.end}",
        f"SVTYPE={kind}",
        f"SVLEN={-length if kind == 'DEL' else length}",
        *(["CIPOS=-1,0"] if call.start == 0 else []),
        "IMPRECISE",
        f"NBINS={call.n_bins}",
        *([] if math.isnan(call.log2) else [f"LOG2={call.log2:.4g}"]),
        f"EXPECTED={call.expected}",
    ]
    quality = "." if math.isnan(call.quality) else f"{call.quality:.4g}"
    copies = "." if call.copy_number is None else str(call.copy_number)
    base = "N" if genome is None else decode(genome.fetch(call.contig, pos - 1, pos))
    site = (call.contig, str(pos), f"{kind}_{number}", base, f"<{kind}>", quality)
    passed = "NOCALL" if call.copy_number is None else "PASS"
    return "\t".join((*site, passed, ";".join(info), "GT:CN:CNQ", f"{_genotype(call)}:{copies}:{quality}"))


def _genotype(call: CnvCall) -> str:
    """Alleles that differ, where the copy number determines them; one for each expected copy."""
    n = call.expected
    if call.copy_number is None or n == 0:
        alleles = ["."] * max(n, 1)
    else:
        changed = abs(call.copy_number - n)
        # Two more copies may lie on one haplotype or on both, unless there is only one.
        determined = call.copy_number <= n + 1 or n == 1
        alleles = sorted("1" * min(changed, n) + "0" * (n - min(changed, n))) if determined else ["."] * n
    return "/".join(alleles)


def _pack(temporary: Path, path: Path, longest: int) -> None:
    """BGZF in place of the text, and its index beside `path`."""
    import pysam

    ending, other = (".csi", ".tbi") if longest >= _TABIX_END else (".tbi", ".csi")
    text = temporary.with_name(temporary.name + ".txt")
    index = temporary.with_name(temporary.name + ending)
    try:
        os.replace(temporary, text)
        pysam.tabix_compress(str(text), str(temporary), force=True)
        pysam.tabix_index(str(temporary), preset="vcf", force=True, csi=ending == ".csi", index=str(index))
        os.replace(index, path.with_name(path.name + ending))
        path.with_name(path.name + other).unlink(missing_ok=True)
    finally:
        text.unlink(missing_ok=True)
        index.unlink(missing_ok=True)
