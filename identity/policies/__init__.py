"""Policy packs: dated rules as data, one TOML file for each regulation."""
