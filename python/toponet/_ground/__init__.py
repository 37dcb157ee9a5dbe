"""The ground floor: what all packages stand on, and nothing of topology."""
