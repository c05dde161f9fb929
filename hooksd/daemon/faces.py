"""The two applications that the daemon shows: the trigger listener for callers, the admin listener for operators.

Called by `daemon.wiring`, which hands in what stands behind them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from starlette.types import ASGIApp

from hooksd.config.secrets import SecretProblem
from hooksd.config.settings import Settings, TcpAddress
from hooksd.daemon.control import Definitions, Identity, Operator, Work
from hooksd.daemon.ground import Ground
from hooksd.delivery.dispatcher import Dispatcher
from hooksd.engine.ports import Intake, Publisher
from hooksd.errors import SettingsRejected
from hooksd.journal.reader import LogReader
from hooksd.model.secret import Secret
from hooksd.web.admin import Admin
from hooksd.web.app import admin_app
from hooksd.web.duplicates import Duplicates
from hooksd.web.editing import Editor
from hooksd.web.guard_limits import Limits
from hooksd.web.origin import Proxies
from hooksd.web.outgoing import OutgoingDesk
from hooksd.web.publishing import PublishingDesk
from hooksd.web.receive import Receiver
from hooksd.web.redelivering import RedeliveryDesk
from hooksd.web.refusals import Refusals
from hooksd.web.trigger import TriggerApp
from hooksd.web.triggering import TriggerDesk


def limits_of(settings: Settings) -> Limits:
    """Return what callers may take of a listener."""
    return Limits(
        connections=settings.max_connections,
        connections_per_address=settings.max_connections_per_address,
        header_timeout=settings.header_timeout,
        body_timeout=settings.body_timeout,
        write_timeout=settings.write_timeout,
        idle_timeout=settings.idle_timeout,
        headers=settings.max_headers,
        head_bytes=settings.max_header_bytes,
        buffered=settings.max_buffered,
    )


def trigger_face(
    ground: Ground,
    *,
    intake: Intake,
    refusals: Refusals,
    is_open: Callable[[], bool],
    duplicates: Duplicates | None = None,
) -> ASGIApp:
    """Return what callers of webhooks meet.

    Args:
        ground: What it stands on.
        intake: Where events go.
        refusals: Where refused requests are counted.
        is_open: Tells whether the daemon has started and does not stop, for `/readyz`.
        duplicates: What was accepted before. Default: nothing.
    """

    def unready() -> Sequence[str]:
        reasons = [] if is_open() else ["the daemon starts or stops"]
        if ground.journal.state != "ok":
            reasons.append(f"the log takes no records: it is {ground.journal.state}")
        return reasons

    proxies = ground.settings.trusted_proxies
    receiver = Receiver(
        intake=intake,
        clock=ground.clock,
        ids=ground.ids,
        public_url=ground.settings.public_url,
        refusals=refusals,
        shelf=ground.journal,
        duplicates=duplicates,
    )
    return TriggerApp(
        receiver=receiver,
        refusals=refusals,
        current=ground.current,
        unready=unready,
        public_url=ground.settings.public_url,
        clock=ground.clock,
        observer=ground.observer,
        proxies=Proxies(proxies, ground.settings.forwarded_header) if proxies else None,
    )


def admin_face(  # noqa: PLR0913 - what stands behind it, each by name
    ground: Ground,
    *,
    intake: Intake,
    definitions: Definitions,
    identity: Identity,
    work: Callable[[], Work],
    publisher: Publisher,
    outbox: Dispatcher,
    duplicates: Duplicates,
    triggers: TriggerDesk,
    refusals: Refusals,
    editor: Editor | None = None,
) -> ASGIApp:
    """Return what operators and the command line meet.

    Args:
        ground: What it stands on.
        intake: Where triggered events go.
        definitions: Keeps the definitions in step with the files.
        identity: Who this daemon is.
        work: Returns how much has no end yet.
        publisher: Where published events go.
        outbox: Who carries out deliveries.
        duplicates: What was accepted before.
        triggers: Asks endpoints.
        refusals: Where refused requests are counted.
        editor: Changes webhooks; None: nobody may.

    Raises:
        SettingsRejected: A key cannot be read.
    """
    operator = Operator(
        identity=identity,
        definitions=definitions,
        current=ground.current,
        reader=LogReader(ground.settings.log_dir),
        work=work,
        log=lambda: ground.journal.state,
    )
    admin = Admin(
        control=operator,
        intake=intake,
        ids=ground.ids,
        clock=ground.clock,
        observer=ground.observer,
        public_url=ground.settings.public_url,
        refusals=refusals,
        editor=editor,
        desks=(
            OutgoingDesk(control=operator, outbox=outbox, public_url=ground.settings.public_url),
            RedeliveryDesk(control=operator, outbox=outbox, created=operator.created),
            _publishing(ground, intake, publisher, duplicates),
            triggers,
        ),
    )
    return _guarded(ground, admin)


def _publishing(ground: Ground, intake: Intake, publisher: Publisher, duplicates: Duplicates) -> PublishingDesk:
    """Return who takes events that others publish."""
    return PublishingDesk(
        publisher=publisher,
        intake=intake,
        duplicates=duplicates,
        ids=ground.ids,
        clock=ground.clock,
        current=ground.current,
        public_url=ground.settings.public_url,
    )


def _guarded(ground: Ground, admin: Admin) -> ASGIApp:
    """Let those ask who may: whoever may open the socket, or over TCP has a key.

    Raises:
        SettingsRejected: A key cannot be read.
    """
    settings = ground.settings
    return admin_app(
        admin,
        token=admin_token(ground),
        keys=named_keys(ground, "admin_keys", settings.admin_keys),
        triggers=named_keys(ground, "trigger_keys", settings.trigger_keys),
        publishers=named_keys(ground, "publish_keys", settings.publish_keys),
    )


def admin_token(ground: Ground) -> Secret | None:
    """Return what callers over TCP must show; None on a unix socket, whose file mode says who may connect.

    Raises:
        SettingsRejected: It cannot be read.
    """
    reference = ground.settings.admin_token
    if reference is None or not isinstance(ground.settings.admin_address, TcpAddress):
        return None
    return _read(ground, "admin_token", reference)


def named_keys(ground: Ground, setting: str, keys: Mapping[str, str]) -> dict[str, Secret]:
    """Return what callers over TCP may show instead, by the name of who has it; none on a unix socket.

    Args:
        ground: Where secrets are read.
        setting: The name of the setting.
        keys: References by name.

    Raises:
        SettingsRejected: One cannot be read.
    """
    if not isinstance(ground.settings.admin_address, TcpAddress):
        return {}
    return {name: _read(ground, f"{setting}.{name}", reference) for name, reference in keys.items()}


def _read(ground: Ground, setting: str, reference: str) -> Secret:
    try:
        return ground.secrets.get(reference)
    except SecretProblem as problem:
        raise SettingsRejected(f"{setting}: {problem.message}; {problem.hint or 'check the reference'}") from problem
