"""
The push services themselves: a request in, an answer out, no socket anywhere.

Each is as strict as its provider's documentation; where reality is known to be more lenient, that is
said where the check stands.
"""
