"""Local stand-ins for the platforms, with the platforms' own rules.

A channel reaches them over the network exactly as it reaches the real ones: base URL, host and
port are the only difference. Nothing here knows the rest of the program.
"""
