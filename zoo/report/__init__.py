"""One HTML file that tells a biologist what a model is, how good it is, and what it has learnt."""
