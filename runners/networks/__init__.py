"""The networks, in plain torch, and the torch-free catalogue that names them."""
