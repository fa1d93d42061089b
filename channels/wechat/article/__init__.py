"""The article of an Official Account: HTML that survives the platform's editor."""
