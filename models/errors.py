"""Our own errors: each is one line that says what was wrong and what to do next."""


class LifelineError(Exception):
    """The root; the command line prints it as one line and exits with `exit_code`."""

    exit_code = 1


class UsageError(LifelineError):
    """The caller asked for something that cannot be: a wrong option, an unknown id, a file that is none."""

    exit_code = 2


class CatalogueError(UsageError):
    """A row of a CSV is wrong; names file, row, column, value and the remedy."""


class SettingsError(UsageError):
    """A setting has a value that cannot be used."""


class StoreError(LifelineError):
    """The home or one of its databases cannot be used as it is."""


class StoreLockedError(StoreError):
    """Another process writes to the work file."""


class NotPublishedError(StoreError):
    """There is no published file yet."""


class FetchError(LifelineError):
    """A source could not be fetched; `health` is what it says about the source."""

    def __init__(self, message: str, *, health: str = "failing", status: int | None = None) -> None:
        super().__init__(message)
        self.health = health
        self.status = status


class ParseError(LifelineError):
    """What was fetched is not what the source promised; `health` says how."""

    def __init__(self, message: str, *, health: str = "not_a_feed") -> None:
        super().__init__(message)
        self.health = health


class TaggerError(LifelineError):
    """A tagger cannot be loaded or trained as asked."""


class QueryError(UsageError):
    """An analyst's SQL was refused or ran past a limit."""
