"""Time and memory of a contact map of one megabase: forward and one training step, with and without checkpointing.

    python benchmarks/contacts.py --threads 2 --repeats 3 --akita /opt/peers/akita/bin/python

1,048,576 bp at 2,048 bp, 512 x 512 pairs, one window.  Each case runs in a process of its own, whose peak memory is
printed (less what an idle process with torch has).  On a GPU, where there is one, in float32 and bfloat16.  Akita is
the package akita-torch in an environment of its own, with its published sizes.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time

CASES = ("nothing", "forward", "training step", "training step, checkpointing")
PEER = ("akita forward", "akita training step")


def main() -> None:
    """Run every case in turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--bins", type=int, default=512)
    parser.add_argument("--akita", help="python with akita-torch; left out where it is not given")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        print(json.dumps(measured(args.worker, args)))
        return
    print(f"{args.bins} x {args.bins} pairs at 2,048 bp, {args.threads} threads, load {os.getloadavg()[0]:.1f}")
    idle = None
    for case in CASES + (PEER if args.akita else ()):
        command = [args.akita if case in PEER else sys.executable, __file__, "--worker", case, *map(str, _flags(args))]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        for row in json.loads(done.stdout.splitlines()[-1]):
            if idle is None:
                idle = row["peak"]
                continue
            print(
                f"{row['where']:10} {case:30} {row['seconds']:8.2f} s (median of {args.repeats}) "
                f"{(row['peak'] - idle * (row['where'] == 'cpu')) / 1e9:6.2f} GB"
            )


def measured(case: str, args: argparse.Namespace) -> list[dict]:
    """Seconds and peak bytes by device."""
    import torch

    torch.set_num_threads(args.threads)
    places = [("cpu", torch.float32)]
    if torch.cuda.is_available():
        places += [("cuda", torch.float32), ("cuda", torch.bfloat16)]
    return [_on(case, args, *place) for place in places]


def _on(case, args, device, dtype):
    import torch

    rows = []
    if case != "nothing":
        training = "training" in case
        model, run = (_akita if case in PEER else _ours)(case)
        model.to(device).train(training)
        codes = torch.randint(0, 4, (1, args.bins * 2048))
        x = torch.nn.functional.one_hot(codes, 4).permute(0, 2, 1).float().to(device)
        for _ in range(args.repeats + 1):
            began = time.perf_counter()
            with torch.set_grad_enabled(training), torch.autocast(device, dtype, enabled=dtype != torch.float32):
                found = run(x)
                if training:
                    found.float().square().mean().backward()
                    model.zero_grad()
            if device == "cuda":
                torch.cuda.synchronize()
            rows.append(time.perf_counter() - began)
    peak = (
        torch.cuda.max_memory_allocated()
        if device == "cuda"
        else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    )
    name = device if dtype == torch.float32 else f"{device} bf16"
    return {"where": name, "seconds": statistics.median(rows[1:]) if rows else 0.0, "peak": peak}


def _ours(case):
    import torch

    from zoo_hic.encoder import ContactCNN
    from zoo_hic.head import ContactHead

    encoder = ContactCNN(layers=8)
    head = ContactHead(in_channels=64, checkpointing=case.endswith("checkpointing"))
    return torch.nn.ModuleList([encoder, head]), lambda x: head(encoder({"one_hot": x}), {})


def _akita(case):
    from akita_torch.model import Akita, AkitaConfig

    model = Akita(AkitaConfig(augment_shift=0))
    return model, lambda x: model(x.transpose(1, 2))


def _flags(args):
    return ("--threads", args.threads, "--repeats", args.repeats, "--bins", args.bins)


if __name__ == "__main__":
    main()
