"""Why a test cannot run here."""


class Skip(Exception):
    """Its text is the reason."""
