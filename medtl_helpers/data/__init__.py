"""Data: one file a modality, each of which gives a ``Task`` or the pieces of one; imports only the ground floor."""
