"""The model: loading it, making its rows, calling it, reading and explaining its answers."""
