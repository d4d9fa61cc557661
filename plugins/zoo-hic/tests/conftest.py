"""Small contact maps with known counts, as .cool, .mcool and .hic."""

import struct
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from zoo.fields import CODES, ONE_HOT, Field, Grid
from zoo.spec import ModelSpec
from zoo_hic.simulation.sequence import find_sites
from zoo_hic.simulation.settings import MapSettings
from zoo_hic.simulation.structure import build_structure
from zoo_hic.windows import TARGET

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
        writer.add_pixels(_Writable(pixels))
        writer.finalize()
        if norms:
            _append_norms(path, norms, list(sizes), resolutions[0])
        return path, drawn

    return SimpleNamespace(cool=cool, mcool=mcool, hic=hic, sizes=SIZES)


class _Writable(pd.DataFrame):
    """Columns as hictkpy 1.3 takes them: arrays that may be written to, which pandas 3 no longer gives out."""

    def __getitem__(self, name):
        column = super().__getitem__(name)
        return SimpleNamespace(dtype=column.dtype, to_numpy=lambda *_, **__: np.array(column))


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


class GroundTruth(nn.Module):
    """What a perfect model of the simulator predicts: the log of the factor on the contacts of distance.

    It stands wherever a model of contact maps does, so that regions, edits and variants are checked against the truth.
    Its maps are not centred by distance as those of a trained model are, which no difference of two maps sees.
    bins: T of a window.  settings: of the simulator.  data: of its card.
    """

    def __init__(self, bins, settings=None, data=None):
        super().__init__()
        self.settings, self.bins = settings or MapSettings(), bins
        width = self.settings.resolution
        field = Field("CTT", ("log_oe",), "log(observed / expected)", bin_size=width)
        self.spec = ModelSpec(
            "oracle",
            {"name": "oracle"},
            {TARGET: {"name": "oracle"}},
            bins * width,
            outputs={TARGET: (field, Grid(0, width, bins))},
            data=data or {},
        )
        self.input_fields = {"one_hot": ONE_HOT}
        self.device = torch.device("cpu")

    def flip(self, batch):
        """The batch read from the other strand."""
        return {"codes": CODES.flip(batch["codes"])}

    def predict(self, batch):
        """{codes (N, L)} -> {contacts (N, 1, T, T)}."""
        sites = [find_sites(codes, self.settings) for codes in batch["codes"].cpu().numpy()]
        maps = np.stack([build_structure(s, self.bins, self.settings) for s in sites])
        return {TARGET: torch.from_numpy(maps)[:, None]}


@pytest.fixture(scope="session")
def ground_truth():
    """GroundTruth: ground_truth(bins, settings, data) is a model of contact maps that knows the answer."""
    return GroundTruth
