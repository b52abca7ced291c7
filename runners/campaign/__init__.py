"""Campaigns: many runs by a plan, in an order that drift cannot take for a network, gone on with after anything."""
