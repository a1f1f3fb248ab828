"""Measuring results against pictures made by hand. Nothing else imports this."""
