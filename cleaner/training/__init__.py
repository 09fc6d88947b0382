"""Fit the models that cleaner ships."""
