"""Layers: one-hot, strand flip, tied and dilated convolutions, recurrence, attention pooling, gradient reversal."""
