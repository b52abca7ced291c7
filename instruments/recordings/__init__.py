"""Readers of other instruments' files: they give the same objects that live captures give."""
