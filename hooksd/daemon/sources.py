"""From settings to what reads definitions. The daemon and the command line use the same, so that they judge alike."""

from __future__ import annotations

from hooksd.auth.remote import Remotes
from hooksd.config.load import Loader
from hooksd.config.secrets import SecretStore
from hooksd.config.settings import Settings, process_environment


def secret_store(settings: Settings) -> SecretStore:
    """Return the store that looks where the settings say."""
    return SecretStore(
        credentials_dir=settings.credentials_dir,
        environment=process_environment(),
        allow_inline=settings.allow_inline_secrets,
        base_dir=settings.hooks_dir,
    )


def loader(settings: Settings, secrets: SecretStore, remotes: Remotes | None = None) -> Loader:
    """Return a loader that checks as the settings say.

    Args:
        settings: What holds.
        secrets: Where references are read.
        remotes: Has keys fetched that are kept elsewhere; None: nobody does.
    """
    return Loader(
        secrets=secrets,
        allow_inline_secrets=settings.allow_inline_secrets,
        public_url=settings.public_url,
        can_mail=settings.smtp is not None,
        trigger_keys=frozenset(settings.trigger_keys),
        remotes=remotes,
    )
