"""How much of the activity of a simulated library is of the part, of its context, of both, and noise.

python part_and_context.py
"""

from zoo_constructs.context.uncertainty import share_variance
from zoo_constructs.library.simulation import SimulatedConstructs


def main() -> None:
    """Print the planted shares of variance beside what the library shows."""
    library = SimulatedConstructs(n=800, n_parts=40, n_contexts=40)
    measured = library.measurements
    shares = share_variance(
        measured.values[:, 0],
        library.parts["part"],
        library.parts["left_flank"],
        measured.sampling_variance[:, 0],
        resamples=100,
    )
    for name, planted in library.planted.items():
        print(f"{name:12} planted {planted:.2f}  found {shares.value[name]:.2f}")


if __name__ == "__main__":
    main()
