"""Teaching: claims, records, figures, exercises, and the runner; may use data and methods, not lessons."""
