"""Faces for the frameworks that people train with; all logic stays in the packages below.

Each module imports its framework, so none is imported here. nnU-Net alone is imported by the folder
that it searches, ``nnunet_trainers``.
"""
