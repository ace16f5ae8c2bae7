"""Keys, field encryption, certificates and who may call what."""
