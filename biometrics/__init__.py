"""Biometric verification as a library: bytes in, findings and scores out.

`biometrics.face` compares photographs of faces; other subpackages read identity documents.
Nothing here knows of subscribers, databases or a network; importing it loads nothing.
"""
