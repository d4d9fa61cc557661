"""Small contact maps with known counts, as .cool, .mcool and .hic."""

import struct
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

SIZES = {"chr1": 1_950, "chr2": 1_000, "chrM": 430}


def _grid(sizes, resolution):
    starts = [np.arange(0, s, resolution) for s in sizes.values()]
    chrom = np.repeat(list(sizes), [len(s) for s in starts])
    end = np.concatenate([np.minimum(s + resolution, n) for s, n in zip(starts, sizes.values(), strict=True)])
    return pd.DataFrame({"chrom": chrom, "start": np.concatenate(starts), "end": end})


@pytest.fixture
def counts():
    """counts(n, seed) -> (n, n) int64 symmetric counts of a whole genome, some of them 0."""

    def make(n, seed=0):
        at = np.arange(n)
        mean = 20 / (1 + np.abs(at[:, None] - at[None, :]))
        drawn = np.triu(np.random.default_rng(seed).poisson(mean))
        return drawn + np.triu(drawn, 1).T

    return make


@pytest.fixture
def write(tmp_path, counts):
    """Writers of maps of SIZES: write.cool(...), write.mcool(...), write.hic(...); each returns (path, counts)."""
    import cooler
    import hictkpy

    def cool(name="map.cool", sizes=SIZES, resolution=100, weights=None, seed=0, **options):
        bins = _grid(sizes, resolution)
        drawn = counts(len(bins), seed)
        for column, values in (weights or {}).items():
            bins[column] = values
        row, column = np.nonzero(np.triu(drawn))
        pixels = pd.DataFrame({"bin1_id": row, "bin2_id": column, "count": drawn[row, column]})
        uri = str(tmp_path / name)
        cooler.create_cooler(uri, bins, pixels, ordered=True, **options)
        return tmp_path / name.partition("::")[0], drawn

    def mcool(name="map.mcool", resolutions=(100, 200), **options):
        drawn = {}
        for i, width in enumerate(resolutions):
            uri = f"{name}::/resolutions/{width}"
            path, drawn[width] = cool(uri, resolution=width, mode="w" if i == 0 else "a", **options)
        return path, drawn

    def hic(name="map.hic", sizes=SIZES, resolutions=(100,), norms=None, seed=0):
        """norms: {(name, contig): vector} of the first resolution, divisive as Juicer's."""
        drawn = counts(len(_grid(sizes, resolutions[0])), seed)
        row, column = np.nonzero(np.triu(drawn))
        path = tmp_path / name
        writer = hictkpy.hic.FileWriter(path, sizes, list(resolutions), tmpdir=tmp_path)
        pixels = {"bin1_id": row, "bin2_id": column, "count": drawn[row, column].astype(float)}
        writer.add_pixels_from_dict({k: v.tolist() for k, v in pixels.items()})
        writer.finalize().close()
        if norms:
            _append_norms(path, norms, list(sizes), resolutions[0])
        return path, drawn

    return SimpleNamespace(cool=cool, mcool=mcool, hic=hic, sizes=SIZES)


def _append_norms(path, norms, contigs, resolution):
    """Normalisation vectors in place of the empty index at the end (HiCFormatV9.md, "Normalization vectors")."""
    data = bytearray(path.read_bytes())
    at = data.index(b"\0", 16) + 1
    position, length = struct.unpack_from("<qq", data, at)
    assert data[position:] == bytes(length) == bytes(4)
    keys = [(n.encode() + b"\0" + struct.pack("<i", contigs.index(c) + 1) + b"BP\0", v) for (n, c), v in norms.items()]
    index, arrays = struct.pack("<i", len(keys)), b""
    start = position + 4 + sum(len(key) + 20 for key, _ in keys)
    for key, vector in keys:
        array = struct.pack("<q", len(vector)) + np.asarray(vector, "<f4").tobytes()
        index += key + struct.pack("<iqq", resolution, start + len(arrays), len(array))
        arrays += array
    struct.pack_into("<q", data, at + 8, len(index))
    path.write_bytes(bytes(data[:position]) + index + arrays)
