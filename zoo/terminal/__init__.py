"""What a person sees in a terminal while work goes on."""
