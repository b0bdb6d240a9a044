"""The reader's own images from the command line: a report on them, and the answers of the model that it saved."""
