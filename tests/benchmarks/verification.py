"""How long a whole verification takes, against the bare face_recognition calls."""

