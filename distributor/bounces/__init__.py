"""Where bounces and complaints arrive: a Maildir, an IMAP or POP mailbox, or a listener.

Each source hands one message after another to a `Take` and lets go of it only afterwards: what
breaks off is found again the next time, and taking in the same message twice does no harm.
"""
