"""A model as one file for programs that know nothing of zoo: ONNX, or PyTorch's own exported program."""
