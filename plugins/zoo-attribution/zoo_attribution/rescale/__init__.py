"""The rescale rule for a whole network: multipliers that add up.

Every call of the network gets a rule that keeps  y(x) - y(r) = multiplier * (x - r):

    linear calls                    the gradient itself
    one argument, elementwise       (y(x) - y(r)) / (x - r)             DeepLIFT's rescale rule
    a maximum over positions        what the larger side exceeds the smaller one by goes to the larger one's position
    anything else with a gradient   the mean gradient on the straight path from r to x: for a product of two values
                                    the gradient in the middle, which is exact; else by quadrature
    no gradient                     breaks additivity, and is named

Rules belong to calls, not to modules: a ReLU that is used twice, or is a plain function, is nothing special.
"""
