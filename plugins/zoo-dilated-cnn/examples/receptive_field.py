"""What one position sees after each layer, declared and measured.

python examples/receptive_field.py
"""

from zoo.testing import check_encoder
from zoo_dilated_cnn.encoder import DilatedCNN


def main() -> None:
    """Print one line a depth."""
    for layers in (0, 2, 4, 8):
        checks = check_encoder(DilatedCNN(channels=8, layers=layers))
        found = next(check for check in checks if check.name == "receptive field")
        print(f"{layers} layers: {found.detail} ({found.status})")


if __name__ == "__main__":
    main()
