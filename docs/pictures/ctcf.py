"""Draw docs/pictures/ctcf.png: python docs/pictures/ctcf.py RUN, a run of `zoo train experiment=ctcf`.

Left: ROC curves on the held-out chromosome, model and baselines on the same rows.  Right: the effect of every
substitution in one held-out peak, averaged over the three letters that could stand there instead.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.metrics import roc_auc_score, roc_curve

import zoo
from zoo.data.motifs import get_motif, scan
from zoo.evaluation.baselines import gc_content
from zoo.interpreters.ism import ISM
from zoo.outputs import Output
from zoo.pictures.logo import draw_logo
from zoo.prediction.predict import predict_codes
from zoo.training.plan import TrainingPlan


def main(run: str) -> None:
    config = json.loads(Path(run, "config.json").read_text())
    model = zoo.load("ctcf-dilated-cnn")
    examples = TrainingPlan.of(config).source.examples("test")
    batch = examples.batch(np.arange(len(examples)))
    codes, label = batch["codes"], batch["target/binding"][:, 0]
    score = predict_codes(model, codes, Output.parse("CTCF:raw", model.spec))[:, 0]
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.6), width_ratios=[1, 2.4], layout="constrained")
    curves(
        left,
        label,
        {
            "ctcf-dilated-cnn": score,
            "PWM MA0139.1": scan(get_motif("MA0139.1").log_odds(), codes),
            "GC content": gc_content(codes)[:, 0],
        },
    )
    best = int(np.argmax(np.where(label > 0, score, -np.inf)))
    landscape(right, model, codes[best])
    where = {k: v[0] for k, v in examples.identity(np.array([best])).items()}
    right.set_title(f"{where['chrom']}:{where['start']:,}-{where['end']:,} (held out)", fontsize=9)
    figure.savefig(Path(__file__).with_name("ctcf.png"), dpi=130)


def curves(axes, label, scores) -> None:
    for name, score in scores.items():
        false, true, _ = roc_curve(label, score)
        axes.plot(false, true, label=f"{name} {roc_auc_score(label, score):.3f}")
    axes.set(xlabel="false positive rate", ylabel="true positive rate", aspect="equal")
    axes.set_title(f"chrX < 70 Mb, n = {len(label):,}", fontsize=9)
    axes.legend(title="AUROC", fontsize=7, title_fontsize=7, loc="lower right", frameon=False)


def landscape(axes, model, codes) -> None:
    """Letters as high as the mean loss when they are replaced, around the strongest one."""
    found = ISM().attribute(model, {"codes": torch.from_numpy(codes)[None]}, Output.parse("CTCF:raw", model.spec))
    effect = -next(iter(found.values.values()))[0].sum(0).numpy() / 3
    middle = int(np.argmax(np.convolve(effect, np.ones(19), "same")))
    first, last = max(0, middle - 30), min(len(codes), middle + 30)
    heights = np.where(np.arange(4)[:, None] == codes, effect, 0)
    draw_logo(axes, heights[:, first:last], first)
    axes.axhline(0, color="black", linewidth=0.6)
    axes.set(xlim=(first, last), ylim=(min(0, effect.min()) * 1.1 - 0.05, effect.max() * 1.08))
    axes.set(xlabel="position in the window, bp", ylabel="mean loss of log odds\nwhen the base is replaced")


if __name__ == "__main__":
    main(sys.argv[1])
