"""Where weights live: models by name, pulled, checked and loaded; zoo/publication.py publishes them."""
