"""What synthetic images are made of: one module for each family."""
