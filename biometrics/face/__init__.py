"""Comparison of two photographs of a face: decode, detect, align, embed, compare.

The door is `biometrics.face.engine.FaceEngine`.
The package refuses to know whose face it is, where a photograph came from and what follows from
the comparison.
"""
