"""A visit leads to its own site and unit, whatever else its inspector is assigned to."""

from datetime import timedelta
from uuid import uuid4

from sqlalchemy import insert

from api.store.inspections import assignment, visit, visit_numbered
from api.store.sites import site
from tests.inspections import NOW, TODAY, a_town


def test_a_visit_is_at_the_site_of_its_own_assignment(connection):
    town = a_town(connection)
    other_site = connection.execute(
        insert(site)
        .values(
            unit_id=town.other_unit_id, name_zh="东渡站", name_en="Dongdu station", address="东渡路 1 号",
            lat=24.5, lon=118.07, datum="WGS-84", radius_m=100,
        )
        .returning(site.c.id)
    ).scalar_one()  # fmt: skip
    visits = []
    for number, site_id in enumerate([town.site_id, other_site, town.site_id]):
        assignment_id, visit_id = uuid4(), uuid4()
        connection.execute(
            insert(assignment).values(
                id=assignment_id, evaluation_id=town.evaluation_id, site_id=site_id, inspector_id=town.inspector,
                day=TODAY - timedelta(days=number),
            )
        )  # fmt: skip
        connection.execute(
            insert(visit).values(
                id=visit_id, assignment_id=assignment_id, inspector_id=town.inspector, claimed_at=NOW, received_at=NOW
            )
        )
        visits.append((visit_id, site_id))
    found = [visit_numbered(connection, visit_id) for visit_id, _ in visits]
    assert [one.assignment.site.id for one in found] == [site_id for _, site_id in visits]
    assert found[1].assignment.site.unit_id == town.other_unit_id
