"""Architectures as their authors published them."""
