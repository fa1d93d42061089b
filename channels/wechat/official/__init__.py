"""An Official Account: an edition becomes a draft and, where the account may, is published."""
