"""The ground floor: what all packages use. Nothing here knows of topology."""
