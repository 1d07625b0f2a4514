from eckit.testing.begin import make_begin
from eckit.kernel.actors import Actor
from eckit.kernel.refs import Ref


def test_x(migrated_url):
    b = make_begin(migrated_url)
    with b.write(Actor.system()) as w:
        w.did("x.y", Ref("order", "o"))
        w.bump("a")
    with b.read(Actor.system()) as w:
        assert w.stamps(["a"]) == {"a": 1}
