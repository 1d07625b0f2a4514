from pathlib import Path
from eckit.catalog import service as catalog
from eckit.flows.import_products import import_products
from tests.catalog.conftest import *
D=Path("/work/main/src/eckit/demo_data")
def test_a(shelves):
    p,v=shelves.publish("tea")
    with shelves.begin.read(GUEST) as work:
        print(catalog.offers(work,[v.id]))
        print(catalog.list_products(work,list_id="retail"))
        print(catalog.search(work,"商品",list_id="retail"))
def test_b(shelves):
    data=(D/"products.csv").read_bytes()
    from eckit.stock import service as stock, Location
    with shelves.begin.write(STAFF) as work:
        stock.save_location(work, Location(id=mint("location"), code="main"))
    r=import_products(shelves.begin, STAFF, data, progress=print)
    print(r)
    print(shelves.stamps())
    r=import_products(shelves.begin, STAFF, data)
    print(r, shelves.stamps())
    with shelves.begin.write(STAFF) as work:
        catalog.import_categories(work,(D/"categories.csv").read_bytes())
    with shelves.begin.read(STAFF) as work:
        print(len(catalog.list_products(work,list_id="retail",category="food",limit=200).items))
        print(b"".join(catalog.export_products(work,list_id="retail")).decode()[:2000])
        print(catalog.categories(work)[:3])
