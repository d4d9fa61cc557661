"""What a user can mend.  Every message gives value, expectation and remedy in one sentence."""


class ZooError(Exception):
    """A mistake in what was asked for or given: one line on stderr, exit code 1, no traceback."""


class UnknownComponent(ZooError):
    """No installed plugin provides a component of this kind and name."""


class NameClash(ZooError):
    """Two owners registered the same kind and name."""


class ConfigError(ZooError):
    """A group, option, key or value of a configuration that cannot be used."""


class DataError(ZooError):
    """A file that breaks its format, or data that cannot be what was asked for."""


class GenomeMismatch(DataError):
    """Coordinates or contig names that do not belong to the genome at hand."""


class HubError(ZooError):
    """A model that could not be found, fetched, verified or published."""


class ContractError(ZooError):
    """A component that does not keep the promise of its interface."""
