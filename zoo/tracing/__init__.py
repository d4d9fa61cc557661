"""Models as graphs of torch calls: for incremental inference, and for rules that replace a gradient."""
