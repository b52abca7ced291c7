"""The board side: message contract, agent, marker outputs, inference loop and the networks. Imports no torch by itself."""
