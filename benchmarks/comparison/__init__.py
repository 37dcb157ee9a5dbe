"""The paper's comparison: which runs, how they are made, what is kept of them, tables."""
