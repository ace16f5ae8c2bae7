"""News for those who watch for changed contacts, told to every server of the database.

Owns the name of the channel: that there are changes to pass on, or that an agency is granted
something else. Who has changed is not told: `contact_changes.py` has it.
"""

CHANNEL = "subid_contact"
