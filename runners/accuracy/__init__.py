"""Accuracy: how many images of a labelled set a network with given weights names rightly."""
