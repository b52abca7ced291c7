"""The board side: message contract, agent, marker outputs, inference loop, networks."""
