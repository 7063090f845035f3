"""Errors that a person can mend: the message names the thing, the reason and the next step."""


class UserError(Exception):
    """Something the user can mend; the command line prints the message and exits with 1."""


def in_words(error: OSError) -> str:
    """What the system says went wrong, without its number and the path."""
    return error.strerror or str(error)


class DecodeError(UserError):
    """A photo's bytes cannot be turned into pixels; the message is the reason, without the path."""


class FileChanged(OSError):  # noqa: N818 - an event, like FileNotFound
    """A file is no longer the one that was found; the message is the reason, without the path."""


class SwitchedError(UserError):
    """The store uses another embedder than this process was started with."""
