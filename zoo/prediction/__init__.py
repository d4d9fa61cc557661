"""`zoo predict`: a model over intervals and sequences, and how any model is run when it is not trained."""
