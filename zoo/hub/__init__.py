"""Where weights live: models by name, pulled, checked and loaded; zoo/training/publication.py publishes them."""
