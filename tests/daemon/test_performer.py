"""Each effect reaches the part that carries it out."""

from __future__ import annotations

from hooksd.daemon.performer import Switchboard
from hooksd.model.effect import Deliver, Effect, MakeRequest, Performed, SaveFiles, SendMail, StartProcess
from hooksd.model.ids import EventId, RunId

PROCESS = StartProcess(argv=("true",), env={}, stdin=b"", cwd="/", timeout=1.0)
REQUEST = MakeRequest(method="GET", url="http://127.0.0.1/", headers={}, body=b"", timeout=1.0)
DELIVERY = Deliver(
    endpoints=("slack",),
    event=EventId("evt_1"),
    run=RunId("run_1"),
    step="tell",
    headers={},
    query={},
    media="application/json",
    body=b"{}",
    retry=None,
)
MAIL = SendMail(
    id="run_1.tell",
    sender=None,
    to=("ada@example.com",),
    cc=(),
    bcc=(),
    reply_to=None,
    subject="Hello",
    text="Hello",
    timeout=1.0,
)


SAVING = SaveFiles(files=(), bases=(), on_exists="fail", is_one=False, id="run-steps[0]")


async def test_each_effect_is_carried_out_by_its_own_part() -> None:
    done: list[tuple[str, Effect]] = []

    async def process(effect: StartProcess) -> Performed:
        done.append(("process", effect))
        return Performed(ok=True)

    async def request(effect: MakeRequest) -> Performed:
        done.append(("request", effect))
        return Performed(ok=True)

    async def deliver(effect: Deliver) -> Performed:
        done.append(("deliver", effect))
        return Performed(ok=False, error="nobody there")

    async def mail(effect: SendMail) -> Performed:
        done.append(("mail", effect))
        return Performed(ok=True)

    async def save(effect: SaveFiles) -> Performed:
        done.append(("save", effect))
        return Performed(ok=True)

    switchboard = Switchboard(process=process, request=request, deliver=deliver, mail=mail, save=save)
    assert (await switchboard.perform(PROCESS)).ok
    assert (await switchboard.perform(REQUEST)).ok
    assert (await switchboard.perform(DELIVERY)).error == "nobody there"
    assert (await switchboard.perform(MAIL)).ok
    assert (await switchboard.perform(SAVING)).ok
    assert done == [
        ("process", PROCESS), ("request", REQUEST), ("deliver", DELIVERY), ("mail", MAIL), ("save", SAVING)
    ]  # fmt: skip
