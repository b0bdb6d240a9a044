"""Methods: one idea a file, which takes tensors and networks and imports only the ground floor."""
