"""A trial: can a small flow transformer move head and brows better than the rules? See ../RESULTS.md."""
