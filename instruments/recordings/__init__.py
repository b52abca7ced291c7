"""Readers of other instruments' files, giving the same objects that live captures give."""
