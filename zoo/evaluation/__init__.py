"""How good a model is: metrics with intervals, beside baselines, on equal rows."""
