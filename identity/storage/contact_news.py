"""News of changed contacts: that there are some to pass on, told to every server of the database.

Owns the name of the channel. Who has changed is not told: `contact_changes.py` has it.
"""

CHANNEL = "subid_contact"
