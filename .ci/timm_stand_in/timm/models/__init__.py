"""Stands for timm: names that can be imported, and nothing behind them."""
