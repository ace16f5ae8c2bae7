"""Fails when a file of the repository holds a secret: a private key, a token, a key ring.

Owns what is looked for, and where: in every file that git knows or would take up. The search for
known kinds is `detect-secrets`; the forms that this service keeps keys in are added to it.
"""

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from detect_secrets.core.scan import scan_file
from detect_secrets.settings import transient_settings

ROOT = Path(__file__).resolve().parents[2]

KINDS = (
    *("PrivateKeyDetector", "JwtTokenDetector", "AWSKeyDetector", "AzureStorageKeyDetector"),
    *("GitHubTokenDetector", "GitLabTokenDetector", "NpmDetector"),
    *("PypiTokenDetector", "SlackDetector", "StripeDetector", "TwilioKeyDetector"),
    *("DiscordBotTokenDetector", "SendGridDetector", "TelegramBotTokenDetector"),
)
"""Those that go by the form of a secret. Not those that go by how much chance is in a text: every
digest of a lock file and every test vector would be one. Nor addresses with a password in them:
tests have some, made up, to see that none is shown."""

OUR_FORMS: Mapping[str, "re.Pattern[bytes]"] = {
    # `identity.security.keys`: 32 octets in base64, by the name of the key.
    "Key of a key ring": re.compile(rb'"(?:index|[0-9]{1,10})"\s*:\s*"[A-Za-z0-9+/]{43}="'),
    # RFC 8037, 2: the private half of an Ed25519 pair; RFC 7518, 6.2.2: of an elliptic curve.
    "Private JWK": re.compile(rb'"d"\s*:\s*"[A-Za-z0-9_-]{43}"'),
    # RFC 5958 and RFC 8410, 7: an Ed25519 private key in DER.
    "Private key in DER": re.compile(rb"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22"),
}

_NAMES = re.compile(r"(?:^|/)(?:keys\.json|[^/]*\.key\.pem|[^/]*\.(?:p12|pfx|jks|keystore))$")


def main() -> int:
    """Look into every file and name each that holds a secret, never the secret."""
    paths = list(tracked(ROOT))
    found = list(secrets_in(ROOT, paths))
    print("\n".join(found) or f"secrets: none in {len(paths)} files")
    return 1 if found else 0


def tracked(root: Path) -> Iterator[Path]:
    """The files that git knows, and those that it would take up."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout
    names = sorted(set(listed.split("\0")) - {""})
    return (Path(name) for name in names if (root / name).is_file())


def secrets_in(root: Path, paths: Iterable[Path]) -> Iterator[str]:
    """Where secrets are: `path:line: kind`, or `path: kind`."""
    # Without filters: no comment in a file, and no likeness to a placeholder, hides what is in it.
    settings = {"plugins_used": [{"name": name} for name in KINDS], "filters_used": []}
    with transient_settings(settings):
        for path in paths:
            if _NAMES.search(path.as_posix()):
                yield f"{path}: the name of a file with a secret"
            content = (root / path).read_bytes()
            for kind, form in OUR_FORMS.items():
                if form.search(content):
                    yield f"{path}: {kind}"
            for secret in scan_file(str(root / path)):
                yield f"{path}:{secret.line_number}: {secret.type}"


if __name__ == "__main__":
    sys.exit(main())
