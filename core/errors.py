"""The exceptions that RelScope raises at its borders; each message says what came, what was expected, what to do."""


class RelScopeError(Exception):
    """Base of all errors that a user can cause and repair; the command line prints its message without a traceback."""


class DataError(RelScopeError):
    """A data set or a file of one is missing, malformed or inconsistent."""


class ConfigError(RelScopeError):
    """A system, preset, variant, protocol or setting does not exist or does not fit."""


class RunError(RelScopeError):
    """A run does not exist, exists already, or is not in a state that allows what was asked."""


class DeviceError(RelScopeError):
    """The device asked for is not there or cannot hold the job."""
