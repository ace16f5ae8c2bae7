"""Verification of chip identity documents: files of the chip in, coded findings out.

`biometrics.chip.verify.verify_chip` is the one entry point. The package knows the standards
(ICAO Doc 9303, RFC 5652, ISO/IEC 9796-2, 19794-5, 39794-5) and the Vietnamese DG13; it knows
nothing of subscribers, storage or transport, and it decodes no image.
"""
