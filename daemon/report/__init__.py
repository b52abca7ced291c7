"""The report: what was measured with what, as pages, figures and tables."""
