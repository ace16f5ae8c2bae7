"""Where log lines go: JSON, one line each, on stderr. Owns the format; nothing logs before it."""

import sys

import structlog


def log_to_stderr() -> None:
    """Write every log line as JSON to stderr, so that stdout is a command's own answer."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
    )
